using System.Globalization;
using System.Runtime.InteropServices;
using SamCompress.IR;
using SamCompress.Runtime.Inference;
using Xunit;

namespace SamCompress.Testing;

/// <summary>Runs two models in ONNX Runtime on the same seeded inputs and compares every output.</summary>
public static class NumericAssert
{
    /// <summary>Fails unless outputs have equal names, types, shapes and bytes: the sign of zero counts too.</summary>
    /// <param name="inputs">Elements (float[], long[], ...) for inputs that random numbers do not suit.</param>
    public static void EqualBits(Model expected, Model actual, IReadOnlyDictionary<string, Array>? inputs = null) =>
        Compare(expected, actual, inputs, GraphOptimization.None, (name, a, b) =>
        {
            Assert.True(MemoryMarshal.AsBytes(a.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(b.AsSpan())), $"output '{name}' differs");
            return 0;
        });

    /// <summary>Fails when an element differs by more than a share of the output's largest magnitude.</summary>
    /// <returns>For each output the largest difference, as a share of its largest magnitude.</returns>
    /// <param name="optimization">How ONNX Runtime rewrites both models first.</param>
    public static IReadOnlyDictionary<string, double> Close(
        Model expected,
        Model actual,
        double maxRelative,
        IReadOnlyDictionary<string, Array>? inputs = null,
        GraphOptimization optimization = GraphOptimization.None) =>
        Compare(expected, actual, inputs, optimization, (name, a, b) =>
        {
            double difference = 0;
            double magnitude = 0;
            for (int i = 0; i < a.Length; i++)
            {
                Assert.True(double.IsFinite(a[i]) && double.IsFinite(b[i]), $"output '{name}' element {i}: {a[i]} and {b[i]}");
                difference = Math.Max(difference, Math.Abs(a[i] - b[i]));
                magnitude = Math.Max(magnitude, Math.Abs(a[i]));
            }

            double relative = difference == 0 ? 0 : difference / magnitude;
            Assert.True(relative <= maxRelative, string.Create(CultureInfo.InvariantCulture, $"output '{name}' differs by {relative} of its magnitude, more than {maxRelative}"));
            return relative;
        });

    private static Dictionary<string, double> Compare(
        Model expected,
        Model actual,
        IReadOnlyDictionary<string, Array>? inputs,
        GraphOptimization optimization,
        Func<string, double[], double[], double> compare)
    {
        Assert.Equal(expected.Graph.Inputs.Select(i => i.Name), actual.Graph.Inputs.Select(i => i.Name));
        Assert.Equal(expected.Graph.Outputs.Select(o => o.Name), actual.Graph.Outputs.Select(o => o.Name));
        Dictionary<string, RuntimeTensor> tensors = expected.Graph.Inputs.ToDictionary(i => i.Name, i => Input(i, inputs?.GetValueOrDefault(i.Name)));
        try
        {
            Dictionary<string, (string Type, double[] Elements)> first = Run(expected, tensors, optimization);
            Dictionary<string, (string Type, double[] Elements)> second = Run(actual, tensors, optimization);
            foreach ((string name, (string type, _)) in first)
                Assert.Equal(type, second[name].Type);
            return first.ToDictionary(o => o.Key, o => compare(o.Key, o.Value.Elements, second[o.Key].Elements));
        }
        finally
        {
            foreach (RuntimeTensor tensor in tensors.Values)
                tensor.Dispose();
        }
    }

    private static Dictionary<string, (string Type, double[] Elements)> Run(Model model, Dictionary<string, RuntimeTensor> inputs, GraphOptimization optimization)
    {
        using OnnxSession session = OnnxSession.Open(model, new SessionSettings { Optimization = optimization });
        using RuntimeTensors outputs = session.Run(inputs);
        return model.Graph.Outputs.ToDictionary(o => o.Name, o => (outputs[o.Name].ToString(), Elements(outputs[o.Name])));
    }

    /// <summary>Every element type used here fits a double without loss, and a double keeps the sign of zero.</summary>
    private static double[] Elements(RuntimeTensor tensor) => tensor.ElementType switch
    {
        ElementType.Float => Array.ConvertAll(tensor.ToArray<float>(), v => (double)v),
        ElementType.Double => tensor.ToArray<double>(),
        ElementType.Float16 => Array.ConvertAll(tensor.ToArray<Half>(), v => (double)v),
        _ => Array.ConvertAll(tensor.ToTensor().ToInt64s(), v => (double)v),
    };

    private static RuntimeTensor Input(Value input, Array? given)
    {
        // Named dimensions get a size that no other dimension of the tests has.
        long[] shape = [.. input.Shape!.Select(d => d.Value ?? 3)];
        long count = shape.Aggregate(1L, (product, d) => product * d);
        var random = new Random(input.Name.Aggregate(17, (seed, c) => unchecked((seed * 31) + c)));
        return (given, input.ElementType) switch
        {
            (float[] elements, _) => RuntimeTensor.Of(elements, shape),
            (long[] elements, _) => RuntimeTensor.Of(elements, shape),
            (bool[] elements, _) => RuntimeTensor.Of(elements, shape),
            (_, ElementType.Float) => RuntimeTensor.Of(Fill(count, () => (float)((random.NextDouble() * 4) - 2)), shape),
            (_, ElementType.Double) => RuntimeTensor.Of(Fill(count, () => (random.NextDouble() * 4) - 2), shape),
            (_, ElementType.Int64) => RuntimeTensor.Of(Fill(count, () => (long)random.Next(-9, 10)), shape),
            (_, ElementType.Int32) => RuntimeTensor.Of(Fill(count, () => random.Next(-9, 10)), shape),
            (_, ElementType.UInt8) => RuntimeTensor.Of(Fill(count, () => (byte)random.Next(256)), shape),
            (_, ElementType.Bool) => RuntimeTensor.Of(Fill(count, () => random.Next(2) == 1), shape),
            _ => throw new NotSupportedException($"no random numbers for {input}"),
        };
    }

    private static T[] Fill<T>(long count, Func<T> next)
    {
        var elements = new T[count];
        for (int i = 0; i < elements.Length; i++)
            elements[i] = next();
        return elements;
    }
}
