using System.Collections.Immutable;
using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Differentiation.Training;

/// <summary>A weight that is trained, and its gradient.</summary>
/// <param name="IsFactor">Whether it is an operand of a product; such weights shrink by weight decay.</param>
internal sealed record TrainedWeight(Value Weight, Value Gradient, bool IsFactor);

/// <summary>A copy of a student with a loss, and the gradients of its weights. Its outputs are the loss and the terms.</summary>
internal sealed class LossGraph
{
    private LossGraph(Model model) => Model = model;

    public Model Model { get; }

    public required IReadOnlyList<string> Inputs { get; init; }

    public required IReadOnlyList<TermPlaces> Terms { get; init; }

    public required string Loss { get; init; }

    /// <summary>In the order of the initializers.</summary>
    public required IReadOnlyList<TrainedWeight> Weights { get; init; }

    /// <inheritdoc cref="TrainingGraph.Build"/>
    public static LossGraph Build(Model student, IReadOnlyList<LossTerm> terms, Func<string, bool>? trainable, bool recomputes)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(terms);
        if (terms.Count == 0)
            throw new InvariantException("a loss needs a term");
        Model model = ModelCopy.Of(student);
        try
        {
            ShapeInference.Infer(model);
            Value[] weights = [.. WeightsOf(model).Where(w => trainable?.Invoke(w.Name) ?? true)];
            HashSet<Value> factors = [.. weights.Where(w => w.Uses.Any(IsFactor))];
            string[] inputs = [.. model.Graph.Inputs.Select(i => i.Name)];
            IReadOnlyCollection<Value> checkpoints = recomputes ? Checkpoints.Find(model, weights) : [];
            (Value loss, TermPlaces[] places) = AddLoss(model, terms);
            IReadOnlyDictionary<Value, Value> gradients = Differentiator.Differentiate(model, loss, weights, new DifferentiationOptions { Checkpoints = checkpoints });
            if (gradients.Count == 0)
                throw new SamCompressException(FailureKind.Usage, "no weight reaches the loss", "name other values or other weights.");
            return new LossGraph(model)
            {
                Inputs = inputs,
                Terms = places,
                Loss = loss.Name,
                Weights = [.. weights.Where(gradients.ContainsKey).Select(w => new TrainedWeight(w, gradients[w], factors.Contains(w)))],
            };
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Takes away what is of no use to the outputs, and checks the graph.</summary>
    public void Finish() => new PassPipeline(new EliminateDeadNodes(), new EliminateUnusedInitializers()).Run(Model, new PassContext());

    /// <summary>A tensor of the state: an input of the shape of a weight, whose output is set once it is known.</summary>
    public Value AddState(Value weight, StateKind kind) => Model.Graph.AddInput(Model.Graph.FreshName($"{weight.Name}_{kind}"), weight.ElementType, weight.Shape);

    /// <summary>Makes a value the output of a tensor of the state, and names it so.</summary>
    public StateTensor Bind(string parameter, StateKind kind, Value input, Value output, Tensor? initial = null)
    {
        output.Name = Model.Graph.FreshName(input.Name + "_next");
        Model.Graph.AddOutput(output);
        return new StateTensor(parameter, kind, input.Name, output.Name, [.. input.Shape!.ToStatic()!], initial);
    }

    /// <summary>Initializers of more than one float: scalars are factors and bounds of operators.</summary>
    private static IEnumerable<Value> WeightsOf(Model model) => model.Graph.Initializers.Where(v =>
        v is { ElementType: ElementType.Float, Constant: { Rank: > 0, Count: > 1 } } && v.Uses.Count > 0 && !v.IsGraphOutput);

    private static bool IsFactor(Use use) => use.InputIndex < 2 && use.Node.OpType is "MatMul" or "Gemm" or "Conv" or "ConvTranspose" or "Einsum";

    private static (Value Loss, TermPlaces[] Places) AddLoss(Model model, IReadOnlyList<LossTerm> terms)
    {
        Dictionary<string, Value> values = model.Graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().ToDictionary(v => v.Name, StringComparer.Ordinal);
        while (model.Graph.Outputs.Count > 0)
            model.Graph.RemoveOutput(0);
        var graph = new GraphBuilder(model, "loss");
        Value? sum = null;
        var places = new TermPlaces[terms.Count];
        for (int i = 0; i < places.Length; i++)
        {
            LossTerm term = terms[i];
            if (values.GetValueOrDefault(term.Value) is not { ElementType: ElementType.Float, Shape: { } shape } value)
                throw new InvariantException($"the student has no float value '{term.Value}' of a known shape");
            Value target = model.Graph.AddInput(model.Graph.FreshName(term.Name + "_target"), ElementType.Float, shape);
            Value weight = model.Graph.AddInput(model.Graph.FreshName(term.Name + "_weight"), ElementType.Float, Shape.Of());
            Value loss = Mean(graph, term, value, target);
            loss.Name = model.Graph.FreshName(term.Name + "_loss");
            model.Graph.AddOutput(loss);
            places[i] = new TermPlaces(term, target.Name, weight.Name, loss.Name);
            Value weighted = graph.Mul(loss, weight);
            sum = sum is null ? weighted : graph.Add(sum, weighted);
        }

        sum!.Name = model.Graph.FreshName("loss");
        model.Graph.AddOutput(sum);
        return (sum, places);
    }

    private static Value Mean(GraphBuilder graph, LossTerm term, Value value, Value target)
    {
        Value difference = graph.Sub(value, target);
        Value elements = term.Kind == LossKind.Squared ? graph.Mul(difference, difference) : graph.Op("Abs", [difference]);
        if (term.HardMaskThreshold is { } threshold)
            elements = graph.Mul(elements, HardMasks(graph, value, target, threshold));
        Value mean = graph.Op("ReduceMean", [elements], [NodeAttribute.Of("keepdims", 0L)]);
        return term.Scale == 1 ? mean : graph.Mul(mean, graph.Constant(term.Scale));
    }

    /// <summary>The weight of each mask; truth values end the gradient, so none flows through it.</summary>
    private static Value HardMasks(GraphBuilder graph, Value value, Value target, float threshold)
    {
        int rank = value.Shape!.Rank;
        Value cut = graph.Constant(threshold), one = graph.Constant(1f);
        Value own = Cut(value), wanted = Cut(target);
        Value ratio = graph.Div(Count(graph.Op("Max", [own, wanted])), Count(graph.Mul(own, wanted)));
        return graph.Op("Sigmoid", [graph.Sub(ratio, one)]);

        Value Cut(Value masks) => graph.Cast(graph.Op("Greater", [masks, cut]), ElementType.Float);

        Value Count(Value masks) => graph.Add(graph.Reduce("ReduceSum", masks, [rank - 2, rank - 1]), one);
    }
}
