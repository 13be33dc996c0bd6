using SamCompress.IR;
using SamCompress.Testing;
using SamCompress.Testing.Reference;
using Xunit.Abstractions;

namespace SamCompress.Passes.Tests.Differentiation;

/// <summary>The evaluator that judges gradients is judged itself: by the data of the ONNX backend tests, and by ONNX Runtime on whole models.</summary>
public sealed class ReferenceEvaluatorTests(ITestOutputHelper output)
{
    /// <summary>What is expected otherwise, and why.</summary>
    private static readonly Dictionary<string, string> Others = new()
    {
        ["test_dynamicquantizelinear_expanded"] = "the scale is rounded to float, and a quotient is a half",
        ["test_resize_downsample_scales_cubic_align_corners"] = "the corners are those of an output of 2.4 elements; ONNX Runtime takes 2, as is done here",
        ["test_resize_downsample_scales_linear_align_corners"] = "the same",
    };

    [BackendModelsFact]
    public void It_computes_what_the_backend_tests_expect()
    {
        var wrong = new List<string>();
        var refused = new List<string>();
        int right = 0;
        foreach (string path in BackendModels.Paths.Where(p => p.Contains("/node/", StringComparison.Ordinal)))
        {
            string test = Path.GetFileName(Path.GetDirectoryName(path)!);
            if (Others.ContainsKey(test) || test.Contains("BFLOAT16", StringComparison.Ordinal))
                continue;
            using Model model = OnnxReader.Read(path);
            string folder = Path.Combine(Path.GetDirectoryName(path)!, "test_data_set_0");
            if (!model.Graph.Nodes.All(n => ReferenceOperators.Names.Contains(n.OpType) && n.Domain.Length == 0) || model.Graph.Inputs.Any(i => i.ElementType is ElementType.String or ElementType.Undefined))
                continue;
            try
            {
                ReferenceTensor[] inputs = [.. model.Graph.Inputs.Select((_, i) => Read(Path.Combine(folder, $"input_{i}.pb")))];
                IReadOnlyDictionary<string, ReferenceTensor> outputs = new ReferenceEvaluator(model).Compute(
                    model.Graph.Inputs.Zip(inputs).ToDictionary(i => i.First.Name, i => i.Second.Data),
                    model.Graph.Inputs.Zip(inputs).ToDictionary(i => i.First.Name, i => i.Second.Shape));
                for (int i = 0; i < model.Graph.Outputs.Count; i++)
                {
                    if (Difference(Read(Path.Combine(folder, $"output_{i}.pb")), outputs[model.Graph.Outputs[i].Name]) is { } difference)
                        wrong.Add($"{test}: {difference}");
                }

                right++;
            }
            catch (NotSupportedException e)
            {
                refused.Add($"{test}: {e.Message}");
            }
        }

        output.WriteLine($"{right} models, and {refused.Count} refused:\n{string.Join('\n', refused)}");
        Assert.Empty(wrong);
        Assert.InRange(right, 440, int.MaxValue);
    }

    private static string? Difference(ReferenceTensor expected, ReferenceTensor actual)
    {
        if (expected.Type != actual.Type || !expected.Shape.AsSpan().SequenceEqual(actual.Shape))
            return $"{actual.Type}[{string.Join(',', actual.Shape)}] instead of {expected.Type}[{string.Join(',', expected.Shape)}]";
        double tolerance = expected.Type == ElementType.Float16 ? 1e-3 : expected.Type.IsFloatingPoint() ? 1e-5 : 0; // the rounding of the expected numbers
        int place = Enumerable.Range(0, expected.Data.Length).FirstOrDefault(i => !(expected.Data[i] == actual.Data[i] || Math.Abs(expected.Data[i] - actual.Data[i]) <= tolerance * (1 + Math.Abs(expected.Data[i])) || (double.IsNaN(expected.Data[i]) && double.IsNaN(actual.Data[i]))), -1);
        return place < 0 ? null : $"element {place} is {actual.Data[place]} instead of {expected.Data[place]}";
    }

    /// <summary>A tensor in a file of its own: read as the only initializer of a model, which is two frames around it and an IR version before it.</summary>
    private static ReferenceTensor Read(string path)
    {
        byte[] tensor = File.ReadAllBytes(path);
        using Model model = OnnxReader.Parse([8, 10, .. Frame(7, Frame(5, [.. tensor, .. Frame(8, "t"u8.ToArray())]))]);
        return ReferenceTensor.Of(model.Graph.Initializers.Single().Initializer!);
    }

    /// <summary>A field of bytes in protobuf's wire format.</summary>
    private static byte[] Frame(int field, byte[] bytes)
    {
        var header = new List<byte> { (byte)((field << 3) | 2) };
        for (int length = bytes.Length; ; length >>= 7)
        {
            header.Add((byte)(length < 128 ? length : (length & 127) | 128));
            if (length < 128)
                return [.. header, .. bytes];
        }
    }
}
