using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Differentiation;
using SamCompress.Runtime.Inference;
using SamCompress.Testing.Reference;
using Xunit.Abstractions;

namespace SamCompress.Passes.Tests.Differentiation;

/// <summary>The trained sample as a whole: its gradients in double precision against differences along random directions, and those of ONNX Runtime against these.</summary>
public sealed class WholeModelGradientTests(ITestOutputHelper output)
{
    private const double Step = 1e-5;

    [Theory]
    [InlineData("sam-nano/encoder")]
    [InlineData("sam-nano/decoder")]
    public void The_plain_evaluator_computes_what_ONNX_Runtime_does(string name)
    {
        using Model model = ExporterGraphs.Open(name);
        Dictionary<string, double[]> inputs = Inputs(model);
        IReadOnlyDictionary<string, double[]> expected = Run(model, inputs), actual = new ReferenceEvaluator(model).Run(inputs);
        foreach ((string result, double[] elements) in expected)
            Assert.InRange(Distance(elements, actual[result]) / elements.Max(Math.Abs), 0, 1e-4);
    }

    [Theory]
    [InlineData("sam-nano/encoder")]
    [InlineData("sam-nano/decoder")]
    public void Gradients_agree_with_differences_along_random_directions(string name) => Check(name, every: 9);

    [Theory]
    [InlineData("sam-nano/encoder")]
    [InlineData("sam-nano/decoder")]
    [Trait("Category", "Long")]
    public void The_gradient_of_every_weight_agrees_with_differences(string name) => Check(name, every: 1);

    /// <summary>The bias of keys moves all logits of a query alike, so its gradient is zero, and in single precision what rounding makes of that.</summary>
    [Theory]
    [InlineData("sam-nano/encoder")]
    [InlineData("sam-nano/decoder")]
    public void Gradients_in_single_precision_agree_with_those_in_double(string name)
    {
        using Model model = ExporterGraphs.Open(name);
        Dictionary<string, double[]> inputs = Inputs(model);
        Dictionary<string, string> gradients = AddGradients(model);
        IReadOnlyDictionary<string, double[]> expected = new ReferenceEvaluator(model).Run(inputs), actual = Run(model, inputs);
        double most = gradients.Values.Max(g => expected[g].Max(Math.Abs));
        var errors = new List<(double Error, string Name)>();
        foreach ((string weight, string gradient) in gradients)
        {
            double largest = expected[gradient].Max(Math.Abs);
            errors.Add((Distance(expected[gradient], actual[gradient]) / (largest > 1e-12 * most ? largest : 1e-3 * most), weight));
        }

        foreach ((double error, string weight) in errors.OrderDescending().Take(10))
            output.WriteLine($"{weight}: {error:e2}, of {expected[gradients[weight]].Max(Math.Abs):e2}");
        Assert.InRange(errors.Max().Error, 0, 1e-3);
    }

    /// <summary>
    /// g d against (L(w + h d) - L(w - h d)) / 2h for one random direction d of each weight, as large as the weight itself, and for one of all weights together. The
    /// yardstick is the root of the sum of (g d)² by elements, which is how large g d is for random signs: a product of norms would allow 1e-5 sqrt(elements).
    /// </summary>
    private void Check(string name, int every)
    {
        using Model forward = ExporterGraphs.Open(name);
        using Model backward = ExporterGraphs.Open(name);
        Dictionary<string, double[]> inputs = Inputs(forward);
        Dictionary<string, string> gradients = AddGradients(backward);
        IReadOnlyDictionary<string, double[]> values = new ReferenceEvaluator(backward).Run(inputs);
        Dictionary<string, double[]> factors = forward.Graph.Outputs.ToDictionary(o => o.Name, Factors);
        Dictionary<string, double[]> weights = ExporterGraphs.Weights(forward).Where(w => gradients.ContainsKey(w.Name)).ToDictionary(w => w.Name, w => ReferenceTensor.Of(w.Initializer!).Data);
        Dictionary<string, double[]> directions = weights.ToDictionary(w => w.Key, w => Direction(w.Key, w.Value));
        var evaluator = new ReferenceEvaluator(forward);
        IReadOnlyDictionary<string, double[]> outputs = evaluator.Run(inputs);
        double terms = factors.Sum(f => f.Value.Zip(outputs[f.Key], (a, b) => Math.Abs(a * b)).Sum());
        double rounding = 2e-16 * terms / Step; // of the difference, which is all that is left where the gradient is zero
        var errors = new List<(double Share, string Name)>();
        foreach (string[] names in weights.Keys.Where((_, i) => i % every == 0).Select(w => new[] { w }).Prepend([.. weights.Keys]))
        {
            double expected = (Loss(1) - Loss(-1)) / (2 * Step), actual = 0, squares = 0;
            foreach (string weight in names)
            {
                foreach ((double g, double d) in values[gradients[weight]].Zip(directions[weight]))
                    (actual, squares) = (actual + (g * d), squares + (g * d * g * d));
            }

            errors.Add((Math.Abs(expected - actual) / ((1e-5 * Math.Sqrt(squares)) + rounding), string.Create(CultureInfo.InvariantCulture, $"{(names.Length > 1 ? "all" : names[0])}: {actual:e9}, differences {expected:e9}, yardstick {Math.Sqrt(squares):e2}")));

            double Loss(double sign)
            {
                var moved = new Dictionary<string, double[]>(inputs);
                foreach (string weight in names)
                    moved[weight] = [.. weights[weight].Zip(directions[weight], (w, d) => w + (sign * Step * d))];
                IReadOnlyDictionary<string, double[]> results = evaluator.Run(moved);
                return factors.Sum(f => f.Value.Zip(results[f.Key], (a, b) => a * b).Sum());
            }
        }

        output.WriteLine($"{errors.Count} directions; rounding {rounding:e2}; the largest errors, as a share of what is allowed:");
        foreach ((double share, string what) in errors.OrderDescending().Take(8))
            output.WriteLine($"{share:f3} {what}");
        Assert.InRange(errors.Max().Share, 0, 1);
    }

    /// <summary>Adds the gradients of all weights as outputs and says their names.</summary>
    private static Dictionary<string, string> AddGradients(Model model)
    {
        IReadOnlyList<Value> weights = ExporterGraphs.Weights(model);
        Value loss = ExporterGraphs.AddLoss(model, o => Tensor.Of(Array.ConvertAll(Factors(o), f => (float)f), o.Shape!.ToStatic()!));
        IReadOnlyDictionary<Value, Value> gradients = Differentiator.Differentiate(model, loss, [.. weights]);
        foreach (Value gradient in gradients.Values.Distinct())
            model.Graph.AddOutput(gradient);
        return gradients.ToDictionary(g => g.Key.Name, g => g.Value.Name);
    }

    /// <summary>Inputs like real ones: normalized pictures and embeddings, points on the picture with labels, a mask that is used.</summary>
    private static Dictionary<string, double[]> Inputs(Model model) => model.Graph.Inputs.ToDictionary(i => i.Name, i => i.Name switch
    {
        "point_coords" => [40, 50, 120, 90, 200, 210],
        "point_labels" => [1, 0, 1],
        "has_mask_input" => [1],
        "mask_input" => Random(i.Name, i.Shape!.ElementCount!.Value, 4),
        _ => Random(i.Name, i.Shape!.ElementCount!.Value, 1),
    });

    /// <summary>Random factors, exact as float, that make outputs of any size matter the same.</summary>
    private static double[] Factors(Value value) => Array.ConvertAll(Random(value.Name + " factors", value.Shape!.ElementCount!.Value, 1 / Math.Sqrt(value.Shape!.ElementCount!.Value)), f => (double)(float)f);

    private static double[] Direction(string name, double[] weight) =>
        Random(name + " direction", weight.Length, Math.Max(1e-2, Math.Sqrt(weight.Sum(w => w * w) / weight.Length)));

    /// <summary>Uniform numbers of a deviation, the same for the same name.</summary>
    private static double[] Random(string name, long count, double deviation)
    {
        var random = new Random(name.Aggregate(17, (seed, c) => unchecked((seed * 31) + c)));
        return [.. Enumerable.Range(0, (int)count).Select(_ => (random.NextDouble() - 0.5) * Math.Sqrt(12) * deviation)];
    }

    private static double Distance(double[] a, double[] b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max();

    private static Dictionary<string, double[]> Run(Model model, Dictionary<string, double[]> inputs)
    {
        Dictionary<string, RuntimeTensor> tensors = model.Graph.Inputs.ToDictionary(i => i.Name, i => RuntimeTensor.Of(Array.ConvertAll(inputs[i.Name], e => (float)e), i.Shape!.ToStatic()!));
        using OnnxSession session = OnnxSession.Open(model, new SessionSettings { Optimization = GraphOptimization.Basic });
        using RuntimeTensors outputs = session.Run(tensors);
        foreach (RuntimeTensor tensor in tensors.Values)
            tensor.Dispose();
        return outputs.ToDictionary(o => o.Key, o => Array.ConvertAll(o.Value.ToArray<float>(), e => (double)e));
    }
}
