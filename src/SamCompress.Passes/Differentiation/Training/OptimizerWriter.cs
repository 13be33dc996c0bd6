using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Differentiation.Training;

/// <summary>Writes the update of all weights behind their gradients, and makes weights and moments the state of the graph.</summary>
internal sealed class OptimizerWriter
{
    private static readonly StateKind[] Kinds = [StateKind.Weight, StateKind.FirstMoment, StateKind.SecondMoment, StateKind.GradientSum];

    private readonly LossGraph _losses;
    private readonly TrainingOptions _options;
    private readonly GraphBuilder _graph;

    public OptimizerWriter(LossGraph losses, TrainingOptions options)
    {
        _losses = losses;
        _options = options;
        _graph = new GraphBuilder(losses.Model, "update");
    }

    public TrainingGraph Write()
    {
        Graph graph = _losses.Model.Graph;
        Value rate = graph.AddInput(graph.FreshName("learning_rate"), ElementType.Double, Shape.Of());
        Value update = graph.AddInput(graph.FreshName("update"), ElementType.Int64, Shape.Of());
        Value? apply = _options.Accumulation > 1 ? graph.AddInput(graph.FreshName("apply"), ElementType.Bool, Shape.Of()) : null;
        var adam = new AdamW(_graph, _options, rate, update, _options.ClipNorm is null ? _options.Accumulation : 1);

        Slot[] slots = [.. _losses.Weights.Select(w => OpenSlot(w, apply is not null))];
        Value? norm = _options.ClipNorm is { } limit ? Clip(slots, limit) : null;
        IReadOnlyList<Value[]> next = apply is null ? [.. slots.Select(s => Updated(_graph, adam, s))] : Conditional(apply, adam, slots);
        var state = new List<StateTensor>();
        foreach ((Slot slot, Value[] values) in slots.Zip(next))
        {
            for (int i = 0; i < values.Length; i++)
                state.Add(_losses.Bind(slot.Name, Kinds[i], slot.State[i], values[i], Kinds[i] == StateKind.Weight ? slot.Initial : null));
        }

        _losses.Finish();
        return new TrainingGraph
        {
            Model = _losses.Model,
            Inputs = _losses.Inputs,
            Terms = _losses.Terms,
            Loss = _losses.Loss,
            State = state,
            Optimizer = new OptimizerPlaces(rate.Name, update.Name, apply?.Name, norm?.Name),
            Accumulation = _options.Accumulation,
        };
    }

    /// <summary>Makes the initializer of a weight an input of its name, and adds the inputs of its moments.</summary>
    private Slot OpenSlot(TrainedWeight trained, bool accumulates)
    {
        Graph graph = _losses.Model.Graph;
        Value weight = trained.Weight;
        string name = weight.Name;
        Tensor initial = weight.Constant!;
        weight.Name = graph.FreshName(name + "_initial");
        Value input = graph.AddInput(name, weight.ElementType, weight.Shape);
        weight.ReplaceUsesWith(input);
        Value[] state = [input, .. Kinds[1..(accumulates ? 4 : 3)].Select(k => _losses.AddState(input, k))];
        Value gradient = accumulates ? _graph.Add(state[3], trained.Gradient) : trained.Gradient;
        bool decays = trained.IsFactor && !(_options.WithoutDecay?.Invoke(name) ?? false);
        return new Slot(name, initial, state, gradient, decays);
    }

    /// <summary>Scales the gradients so that the norm of their mean is within the limit, as torch.nn.utils.clip_grad_norm_ does.</summary>
    private Value Clip(Slot[] slots, double limit)
    {
        Value count = _graph.Constant((float)_options.Accumulation);
        Value squares = _graph.Op("Sum", [.. slots.Select(s => _graph.Op("ReduceSumSquare", [s.Sum], [NodeAttribute.Of("keepdims", 0L)]))]);
        Value norm = _graph.Div(_graph.Op("Sqrt", [squares]), count);
        Value share = _graph.Div(_graph.Constant((float)limit), _graph.Add(norm, _graph.Constant(1e-6f)));
        Value factor = _graph.Div(_graph.Op("Min", [share, _graph.Constant(1f)]), count);
        for (int i = 0; i < slots.Length; i++)
            slots[i] = slots[i] with { Factor = factor };
        norm.Name = _losses.Model.Graph.FreshName("gradient_norm");
        _losses.Model.Graph.AddOutput(norm);
        return norm;
    }

    private static Value[] Updated(GraphBuilder graph, AdamW adam, Slot slot)
    {
        Value gradient = slot.Factor is null ? slot.Sum : graph.Mul(slot.Sum, slot.Factor);
        AdamState next = adam.Update(graph, new AdamState(slot.State[0], slot.State[1], slot.State[2]), gradient, slot.Decays);
        return [next.Weight, next.First, next.Second];
    }

    /// <summary>If apply: the update, and sums of zero. Else everything as it is, and the sums.</summary>
    private IReadOnlyList<Value[]> Conditional(Value apply, AdamW adam, Slot[] slots)
    {
        Graph outer = _losses.Model.Graph;
        var then = new Graph("apply", outer);
        var other = new Graph("accumulate", outer);
        var inThen = new GraphBuilder(_losses.Model, "update", then);
        var inElse = new GraphBuilder(_losses.Model, "kept", other);
        foreach (Slot slot in slots)
        {
            Value zeros = inThen.Op("ConstantOfShape", [inThen.Vector(slot.State[0].Shape!.ToStatic())]);
            foreach (Value value in (Value[])[.. Updated(inThen, adam, slot), zeros])
                then.AddOutput(value);
            foreach (Value value in (Value[])[slot.State[0], slot.State[1], slot.State[2], slot.Sum])
                other.AddOutput(inElse.Identity(value));
        }

        string[] names = [.. slots.SelectMany(s => Kinds.Select(k => outer.FreshName($"{s.Name}_{k}_either")))];
        Node node = outer.Append("If", [apply], names, [NodeAttribute.Of("then_branch", then), NodeAttribute.Of("else_branch", other)]);
        ShapeInference.Infer(_losses.Model, node);
        return [.. node.Outputs.Select(o => o!).Chunk(Kinds.Length)];
    }

    /// <summary>One weight while its update is written.</summary>
    /// <param name="State">Weight, moments, and the sum of gradients where there is one.</param>
    /// <param name="Sum">The gradient, or the sum of those of the pictures so far with it.</param>
    /// <param name="Factor">What the sum is multiplied by, or null.</param>
    private sealed record Slot(string Name, Tensor Initial, Value[] State, Value Sum, bool Decays, Value? Factor = null);
}
