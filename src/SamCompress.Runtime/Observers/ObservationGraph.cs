using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Observers;

/// <summary>The names of what is computed for one observed value.</summary>
/// <param name="Min">The smallest value of each channel.</param>
/// <param name="Max">The largest value of each channel.</param>
/// <param name="Rows">Sampled positions with all their channels: [rows, channels], or [batch, channels, rows] where channels are on axis 1.</param>
/// <param name="Gram">The sum of x x^T over some rows, or null.</param>
/// <param name="GramSum">The sum of x over the same rows, or null.</param>
/// <param name="GramRows">Their number, as a vector of one element, or null.</param>
internal sealed record ObservedOutputs(string Min, string Max, string Rows, string? Gram, string? GramSum, string? GramRows);

/// <summary>
/// Nodes that observe values, added to a graph and taken away again. Each value is seen as a matrix of positions and channels.
/// Every n-th position is sampled, n odd and just big enough for at most <see cref="SampledElements"/> elements; where it starts
/// moves from picture to picture, so that over all pictures every position of a map or window has its turn.
/// </summary>
internal sealed class ObservationGraph : IDisposable
{
    /// <summary>The most elements that are sampled of one value of one picture.</summary>
    public const int SampledElements = 65536;

    /// <summary>The most positions of one picture that second moments are summed over.</summary>
    public const int SecondMomentRows = 1024;

    /// <summary>A prime, so that the start visits every residue of any step.</summary>
    private const long PhaseStep = 7919;

    private readonly List<ObservedOutputs> _values = [];
    private readonly TemporaryNodes _edit;
    private readonly bool _axesAreInput;
    private Value? _phase;

    private ObservationGraph(Model model)
    {
        _edit = new TemporaryNodes(model, "samcompress_observe");
        _axesAreInput = model.Opset() >= 18;
    }

    /// <summary>In the order of the observed values.</summary>
    public IReadOnlyList<ObservedOutputs> Values => _values;

    public IEnumerable<string> Outputs => _values.SelectMany(v => new[] { v.Min, v.Max, v.Rows, v.Gram, v.GramSum, v.GramRows }).OfType<string>();

    public string PhaseInput => _phase?.Name ?? "";

    /// <exception cref="InvariantException">The graph has no such value.</exception>
    public static ObservationGraph AddTo(Model model, IReadOnlyList<ObservedValue> observed)
    {
        var result = new ObservationGraph(model);
        if (observed.Count == 0)
            return result;
        result._phase = result._edit.Input("samcompress_phase", Shape.Of(1), ElementType.Int64);
        foreach (ObservedValue o in observed)
            result.Observe(result._edit.Find(o.Name), o);
        return result;
    }

    /// <summary>Takes the nodes away from the model.</summary>
    public void Dispose() => _edit.Dispose();

    /// <summary>The value of <see cref="PhaseInput"/> for a picture.</summary>
    public static RuntimeTensor Phase(int picture) => RuntimeTensor.Of([picture * PhaseStep], 1);

    private void Observe(Value value, ObservedValue observed)
    {
        bool channelsLast = observed.ChannelAxis == -1;
        Value positions = channelsLast
            ? Add("Reshape", [value, Constant(Tensor.Vector(-1, observed.Channels))])
            : Add("Reshape", [value, Constant(Tensor.Vector(0, observed.Channels, -1))]);
        long axis = channelsLast ? 0 : 2;
        long[] reduced = channelsLast ? [0] : [0, 2];
        Value min = Reduce("ReduceMin", positions, reduced);
        Value max = Reduce("ReduceMax", positions, reduced);

        Value rows = Sample(positions, axis, Math.Max(1, SampledElements / observed.Channels));
        Value? gram = null, gramSum = null, gramRows = null;
        if (observed.Detail == ObservationDetail.SecondMoments)
        {
            Value many = Sample(positions, axis, SecondMomentRows);
            gram = Add("MatMul", [Add("Transpose", [many], NodeAttribute.Of("perm", (long[])[1, 0])), many]);
            gramSum = Add("ReduceSum", [many, Constant(Tensor.Vector(0))], NodeAttribute.Of("keepdims", 0L));
            gramRows = Add("Gather", [Add("Shape", [many]), Constant(Tensor.Vector(axis))]);
        }

        foreach (Value? output in (Value?[])[min, max, rows, gram, gramSum])
        {
            if (output is not null)
                _edit.Output(output);
        }

        if (gramRows is not null)
            _edit.Output(gramRows, ElementType.Int64);
        _values.Add(new ObservedOutputs(min.Name, max.Name, rows.Name, gram?.Name, gramSum?.Name, gramRows?.Name));
    }

    /// <summary>Every n-th position, n odd and just big enough for at most <paramref name="most"/> of them.</summary>
    private Value Sample(Value positions, long axis, long most)
    {
        Value count = Add("Gather", [Add("Shape", [positions]), Constant(Tensor.Vector(axis))]);
        Value step = Add("Div", [Add("Add", [count, Constant(Tensor.Vector(most - 1))]), Constant(Tensor.Vector(most))]);
        Value odd = Add("Sub", [Add("Add", [step, Constant(Tensor.Vector(1))]), Add("Mod", [step, Constant(Tensor.Vector(2))])]);
        Value start = Add("Mod", [_phase, odd]);
        return Add("Slice", [positions, start, Constant(Tensor.Vector(long.MaxValue)), Constant(Tensor.Vector(axis)), odd]);
    }

    private Value Reduce(string opType, Value value, long[] axes) => _axesAreInput
        ? Add(opType, [value, Constant(Tensor.Vector(axes))], NodeAttribute.Of("keepdims", 0L))
        : Add(opType, [value], NodeAttribute.Of("axes", axes), NodeAttribute.Of("keepdims", 0L));

    private Value Constant(Tensor tensor) => _edit.Constant(tensor);

    private Value Add(string opType, IReadOnlyList<Value?> inputs, params NodeAttribute[] attributes) => _edit.Add(opType, inputs, attributes);
}
