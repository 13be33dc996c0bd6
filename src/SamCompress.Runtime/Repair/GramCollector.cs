using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Repair;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;

namespace SamCompress.Runtime.Repair;

/// <summary>The sums of one layer over two sets of pictures.</summary>
internal sealed record CollectedSums(RegressionSums Fit, RegressionSums HeldOut);

/// <summary>
/// Runs teacher and student, one picture at a time, and sums up what a regression of the teacher's values on the inputs of the student's layers needs.
/// Every position counts. The products of one picture are made inside the student's graph, in float, and added up outside, in double: what is kept
/// does not grow with the number of pictures.
/// </summary>
internal sealed class GramCollector(TeacherValues teacher, SessionSettings session)
{
    /// <summary>Every third picture is held out.</summary>
    public const int HeldOutEvery = 3;

    /// <param name="student">Is changed for a moment, and as it was when the first picture runs.</param>
    /// <returns>In the order of the targets.</returns>
    /// <exception cref="SamCompressException">There are too few pictures, a value is not finite, or ONNX Runtime failed.</exception>
    public IReadOnlyList<CollectedSums> Collect(
        Model student,
        IReadOnlyList<(RepairTarget Target, QuantizableLayer Layer)> targets,
        IEnumerable<CalibrationSample> samples,
        CancellationToken cancellationToken)
    {
        SummedLayer[] layers;
        OnnxSession open;
        using (var edit = new TemporaryNodes(student, "samcompress_repair"))
        {
            layers = [.. targets.Select(t => new SummedLayer(t.Target, t.Layer, edit))];
            open = OnnxSession.Open(student, session);
        }

        try
        {
            using (open)
            {
                int count = 0;
                foreach (CalibrationSample sample in samples)
                {
                    using (sample)
                    {
                        // Of the first picture only the means are wanted at first.
                        for (int round = count == 0 ? 0 : 1; round < 2; round++)
                            teacher.Use(count, sample, values => RunOne(open, layers, sample, values, count, cancellationToken), cancellationToken);
                    }

                    count++;
                }

                if (count < HeldOutEvery)
                    throw new SamCompressException(FailureKind.InputRejected, $"a repair needs {HeldOutEvery} pictures or more, and there are {count}");
            }
        }
        finally
        {
            foreach (SummedLayer layer in layers)
                layer.Dispose();
        }

        return [.. layers.Select(l => l.Sums!)];
    }

    private static void RunOne(
        OnnxSession session,
        SummedLayer[] layers,
        CalibrationSample sample,
        IReadOnlyDictionary<string, RuntimeTensor> values,
        int picture,
        CancellationToken cancellationToken)
    {
        var inputs = new Dictionary<string, RuntimeTensor>(sample.Inputs, StringComparer.Ordinal);
        foreach (SummedLayer layer in layers)
            layer.AddInputs(inputs, values);
        using RuntimeTensors results = session.Run(inputs, [.. layers.SelectMany(l => l.Outputs)], cancellationToken);
        foreach (SummedLayer layer in layers)
            layer.Take(results, values, sample.Name, isHeldOut: picture % HeldOutEvery == HeldOutEvery - 1);
    }

    /// <summary>One layer's part of the graph, and its sums.</summary>
    private sealed class SummedLayer : IDisposable
    {
        private readonly RepairTarget _target;
        private readonly int _outputChannels;
        private readonly string _teacherInput;
        private readonly string _shiftXInput;
        private readonly string _shiftYInput;
        private readonly string _xx;
        private readonly string _xy;
        private readonly string _x;
        private readonly string _y;
        private readonly string _yy;
        private RuntimeTensor _shiftX;
        private RuntimeTensor _shiftY;

        public SummedLayer(RepairTarget target, QuantizableLayer layer, TemporaryNodes graph)
        {
            _target = target;
            _outputChannels = layer.OutputChannels;
            Value teacher = graph.Input("samcompress_teacher"), shiftX = graph.Input("samcompress_shift", Shape.Of(layer.InputChannels)), shiftY = graph.Input("samcompress_shift", Shape.Of(layer.OutputChannels));
            (_teacherInput, _shiftXInput, _shiftYInput) = (teacher.Name, shiftX.Name, shiftY.Name);
            _shiftX = RuntimeTensor.Of(new float[layer.InputChannels], layer.InputChannels);
            _shiftY = RuntimeTensor.Of(new float[layer.OutputChannels], layer.OutputChannels);

            Value wanted = target.Residual is null ? teacher : graph.Add("Sub", [teacher, graph.Find(target.Residual)]);
            Value x = Rows(layer.Input, shiftX, layer.InputChannels), y = Rows(wanted, shiftY, layer.OutputChannels);
            Value transposed = graph.Add("Transpose", [x], NodeAttribute.Of("perm", (long[])[1, 0]));
            _xx = graph.Output(graph.Add("MatMul", [transposed, x]));
            _xy = graph.Output(graph.Add("MatMul", [transposed, y]));
            _x = graph.Output(Sum(x));
            _y = graph.Output(Sum(y));
            _yy = graph.Output(Sum(graph.Add("Mul", [y, y])));

            Value Rows(Value value, Value shift, int channels)
            {
                if (layer.InputChannelAxis == 1)
                {
                    long[] channelsLast = [0, .. Enumerable.Range(2, layer.Weight.Rank - 2).Select(a => (long)a), 1];
                    value = graph.Add("Transpose", [value], NodeAttribute.Of("perm", channelsLast));
                }

                return graph.Add("Sub", [graph.Add("Reshape", [value, graph.Constant(Tensor.Vector(-1, channels))]), shift]);
            }

            Value Sum(Value rows) => graph.Add("ReduceSum", [rows, graph.Constant(Tensor.Vector(0))], NodeAttribute.Of("keepdims", 0L));
        }

        /// <summary>Null until the first picture has given the shifts.</summary>
        public CollectedSums? Sums { get; private set; }

        public IEnumerable<string> Outputs => Sums is null ? [_x, _y] : [_xx, _xy, _x, _y, _yy];

        public void AddInputs(Dictionary<string, RuntimeTensor> inputs, IReadOnlyDictionary<string, RuntimeTensor> teacher)
        {
            inputs[_teacherInput] = teacher[_target.TeacherValue];
            inputs[_shiftXInput] = _shiftX;
            inputs[_shiftYInput] = _shiftY;
        }

        public void Take(RuntimeTensors results, IReadOnlyDictionary<string, RuntimeTensor> teacher, string picture, bool isHeldOut)
        {
            long rows = teacher[_target.TeacherValue].Count / _outputChannels;
            try
            {
                if (Sums is null)
                {
                    float[] meanX = Mean(ref _shiftX, results[_x], rows), meanY = Mean(ref _shiftY, results[_y], rows);
                    Sums = new CollectedSums(new RegressionSums(meanX, meanY), new RegressionSums(meanX, meanY));
                    return;
                }

                (isHeldOut ? Sums.HeldOut : Sums.Fit).Add(
                    results[_xx].As<float>(), results[_xy].As<float>(), results[_x].As<float>(), results[_y].As<float>(), results[_yy].As<float>(), rows);
            }
            catch (SamCompressException e)
            {
                throw new SamCompressException(e.Kind, $"{picture}: {e.Message}", e.Hint, e) { Location = _target.Layer };
            }
        }

        public void Dispose()
        {
            _shiftX.Dispose();
            _shiftY.Dispose();
        }

        private static float[] Mean(ref RuntimeTensor shift, RuntimeTensor sum, long rows)
        {
            float[] mean = Array.ConvertAll(sum.ToArray<float>(), s => s / rows);
            shift.Dispose();
            shift = RuntimeTensor.Of(mean, mean.Length);
            return mean;
        }
    }
}
