using System.Globalization;
using System.Runtime.InteropServices;
using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Differentiation;
using SamCompress.Passes.Rewriting;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Differentiation;

/// <summary>
/// Compares gradients with central differences in double precision. The loss is a sum over all elements of all outputs with random factors,
/// so that no two mistakes cancel.
/// </summary>
internal sealed record GradientCheck
{
    /// <summary>Far above the error of the differences, which is near 1e-9 of the largest gradient.</summary>
    private const double MaxRelative = 1e-5;

    /// <summary>Where the error of the third derivative and that of rounding are about equal.</summary>
    private const double Step = 1e-5;

    /// <summary>What computes the model; ONNX Runtime unless said otherwise.</summary>
    public Func<IModelEvaluator> Evaluator { get; init; } = () => new RuntimeEvaluator();

    public int Opset { get; init; } = 21;

    /// <summary>Elements for inputs that random numbers do not suit, row-major, by name.</summary>
    public IReadOnlyDictionary<string, double[]> Inputs { get; init; } = new Dictionary<string, double[]>();

    /// <summary>The other inputs are uniform between these.</summary>
    public double Low { get; init; } = -2;

    /// <inheritdoc cref="Low"/>
    public double High { get; init; } = 2;

    /// <summary>Places without a derivative: random elements keep a hundredth away from them.</summary>
    public IReadOnlyList<double> Kinks { get; init; } = [];

    /// <summary>How many elements of each value are compared at most.</summary>
    public int Samples { get; init; } = 60;

    /// <summary>What the gradients are built with.</summary>
    public Func<Model, Value, IReadOnlyCollection<Value>, IReadOnlyDictionary<Value, Value>> Differentiate { get; init; } = (m, l, w) => Differentiator.Differentiate(m, l, w);

    /// <summary>Checks with ONNX Runtime and random inputs between -2 and 2.</summary>
    /// <param name="text">A model in ONNX text whose real numbers are double.</param>
    /// <param name="wanted">Names of inputs or initializers.</param>
    public static void Agrees(string text, params string[] wanted) => new GradientCheck().Run(text, wanted);

    /// <inheritdoc cref="Agrees"/>
    public void Run(string text, params string[] wanted) => Run(() => ModelText.Parse(text, Opset), wanted);

    /// <param name="open">Opens the model anew each time it is called.</param>
    /// <param name="wanted">Names of inputs or initializers.</param>
    public void Run(Func<Model> open, params string[] wanted)
    {
        using Model forward = open();
        using Model backward = open();
        var inputs = new Dictionary<string, double[]>();
        foreach (string name in wanted)
        {
            if (MakeInput(forward, name) is { } elements)
                inputs.Add(name, elements);
            MakeInput(backward, name);
        }

        ShapeInference.Infer(forward);
        ShapeInference.Infer(backward);
        foreach (Value input in forward.Graph.Inputs)
            inputs.TryAdd(input.Name, Inputs.GetValueOrDefault(input.Name) ?? RandomElements(input));
        Dictionary<string, double[]> factors = forward.Graph.Outputs.ToDictionary(o => o.Name, Factors);
        HashSet<string> known = AddGradients(backward, factors, wanted);
        using IModelEvaluator evaluator = Evaluator();
        IReadOnlyDictionary<string, double[]> gradients = evaluator.Run(backward, inputs);
        using IModelEvaluator differences = Evaluator();
        foreach (string name in wanted)
            Compare(name, inputs[name], known.Contains(name) ? gradients["d_" + name] : new double[inputs[name].Length], () => Loss(differences.Run(forward, inputs), factors));
    }

    /// <summary>The random elements of an input: the same for the same name.</summary>
    public double[] RandomElements(Value input)
    {
        Random random = Seeded(input.Name);
        return Fill(input, () =>
        {
            while (true)
            {
                double element = Low + ((High - Low) * random.NextDouble());
                if (Kinks.All(k => Math.Abs(element - k) > 0.01))
                    return element;
            }
        });
    }

    private void Compare(string name, double[] elements, double[] gradient, Func<double> loss)
    {
        Assert.Equal(elements.Length, gradient.Length);
        Random random = Seeded(name + " places");
        int[] places = elements.Length <= Samples ? [.. Enumerable.Range(0, elements.Length)] : [.. Enumerable.Range(0, Samples).Select(_ => random.Next(elements.Length))];
        double[] expected = Array.ConvertAll(places, p => Difference(elements, p, loss));
        double magnitude = expected.Concat(gradient).Max(Math.Abs);
        Assert.True(double.IsFinite(magnitude), $"the gradient of {name} is not finite");
        foreach ((int place, double difference) in places.Zip(expected))
        {
            Assert.True(
                Math.Abs(gradient[place] - difference) <= MaxRelative * magnitude,
                string.Create(CultureInfo.InvariantCulture, $"d {name}[{place}] is {gradient[place]}, and by differences {difference}; the largest of {name} is {magnitude}"));
        }
    }

    private static double Difference(double[] elements, int place, Func<double> loss)
    {
        double element = elements[place];
        double step = Step * Math.Max(1, Math.Abs(element));
        elements[place] = element + step;
        double above = loss();
        elements[place] = element - step;
        double below = loss();
        elements[place] = element;
        return (above - below) / (2 * step);
    }

    private static double Loss(IReadOnlyDictionary<string, double[]> outputs, Dictionary<string, double[]> factors) =>
        factors.Sum(f => f.Value.Zip(outputs[f.Key], (a, b) => a * b).Sum());

    /// <summary>Makes the gradients the only outputs, and says for which names there are any.</summary>
    private HashSet<string> AddGradients(Model model, Dictionary<string, double[]> factors, string[] wanted)
    {
        Graph graph = model.Graph;
        var builder = new GraphBuilder(model, "loss");
        Value loss = graph.Outputs.Select(o => builder.Op("ReduceSum", [builder.Mul(o, Constant(builder, o, factors[o.Name]))], [NodeAttribute.Of("keepdims", 0L)])).Aggregate(builder.Add);
        IReadOnlyDictionary<Value, Value> gradients = Differentiate(model, loss, [.. wanted.Select(w => graph.Inputs.Single(i => i.Name == w))]);
        while (graph.Outputs.Count > 0)
            graph.RemoveOutput(0);
        foreach ((Value value, Value gradient) in gradients)
        {
            Assert.Equal((value.ElementType, value.Shape), (gradient.ElementType, gradient.Shape));
            Value output = builder.Identity(gradient);
            output.Name = "d_" + value.Name;
            graph.AddOutput(output);
        }

        Assert.NotEmpty(gradients);
        Assert.DoesNotContain(GraphChecker.Check(model), d => d.Severity == Severity.Error);
        return [.. gradients.Keys.Select(v => v.Name)];
    }

    private static Value Constant(GraphBuilder builder, Value like, double[] elements) =>
        builder.Constant(Tensor.Of<double>(ElementType.Double, elements, like.Shape!.ToStatic()!));

    /// <summary>Makes an input of an initializer and returns its elements; null when it is an input already.</summary>
    private static double[]? MakeInput(Model model, string name)
    {
        Graph graph = model.Graph;
        if (graph.Initializers.FirstOrDefault(i => i.Name == name) is not { IsGraphInput: false } initializer)
            return null;
        initializer.Name = graph.FreshName(name + "_initial");
        Value input = graph.AddInput(name, initializer.ElementType, initializer.Shape);
        initializer.ReplaceUsesWith(input);
        return MemoryMarshal.Cast<byte, double>(initializer.Initializer!.ToArray<byte>()).ToArray();
    }

    private static double[] Factors(Value output)
    {
        Random random = Seeded(output.Name + " factors");
        return Fill(output, () => (2 * random.NextDouble()) - 1);
    }

    private static Random Seeded(string name) => new(name.Aggregate(17, (seed, c) => unchecked((seed * 31) + c)));

    private static double[] Fill(Value value, Func<double> next) =>
        [.. Enumerable.Range(0, checked((int)value.Shape!.ElementCount!.Value)).Select(_ => next())];
}
