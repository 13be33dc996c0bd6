using SamCompress.IR;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;

namespace SamCompress.Runtime.Evaluation;

/// <summary>A value that both models have.</summary>
/// <param name="Teacher">Its name in the teacher.</param>
/// <param name="Student">Its name in the student.</param>
public readonly record struct ComparedValue(string Teacher, string Student);

/// <summary>
/// Compares inner values of two models on one input: what all layers before did to a value is in it too. Each model runs once. Of a value at most
/// <see cref="SampledElements"/> elements are looked at, chosen in the graph, so that no run holds more than it does anyway.
/// </summary>
/// <param name="settings">For both sessions; one is open at a time.</param>
public sealed class LayerErrors(SessionSettings? settings = null)
{
    public const int SampledElements = 1 << 16;

    private readonly SessionSettings _settings = (settings ?? SessionSettings.Default) with { OptimizedModelPath = null };

    /// <param name="teacher">Is changed for a moment, and as it was when the call returns. Its shapes say how a value is sampled.</param>
    /// <param name="student">The same.</param>
    /// <param name="values">Those that a model lacks, or that are not of one size in both, are left out.</param>
    /// <param name="inputs">Of both models.</param>
    /// <returns>The SQNR by the name in the teacher, in dB; null where both agree in every bit.</returns>
    /// <exception cref="SamCompressException">ONNX Runtime refuses a model.</exception>
    public IReadOnlyDictionary<string, double?> Measure(
        Model teacher, Model student, IEnumerable<ComparedValue> values, IReadOnlyDictionary<string, RuntimeTensor> inputs, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        Dictionary<string, Value> known = Values(teacher), given = Values(student);
        (ComparedValue Compared, long Step)[] chosen =
        [
            .. values.Where(v => known.TryGetValue(v.Teacher, out Value? value) && value is { ElementType: ElementType.Float, Shape: not null } && given.ContainsKey(v.Student))
                .DistinctBy(v => v.Teacher)
                .Select(v => (v, Step(known[v.Teacher].Shape!))),
        ];
        float[][] expected = Run(teacher, [.. chosen.Select(c => (c.Compared.Teacher, c.Step))], inputs, cancellationToken);
        float[][] actual = Run(student, [.. chosen.Select(c => (c.Compared.Student, c.Step))], inputs, cancellationToken);
        var errors = new Dictionary<string, double?>(StringComparer.Ordinal);
        for (int i = 0; i < chosen.Length; i++)
        {
            if (expected[i].Length != actual[i].Length)
                continue;
            (double signal, double noise) = EvaluationMetrics.Powers(expected[i], actual[i]);
            errors[chosen[i].Compared.Teacher] = EvaluationMetrics.Sqnr(signal, noise);
        }

        return errors;
    }

    /// <summary>Every which element is looked at: a prime, so that no channel is passed over. Unknown dimensions count as 1.</summary>
    internal static long Step(Shape shape)
    {
        long elements = shape.Aggregate(1L, (product, d) => product * (d.Value ?? 1));
        long step = (elements + SampledElements - 1) / SampledElements;
        while (step > 1 && !IsPrime(step))
            step++;
        return Math.Max(1, step);
    }

    private static bool IsPrime(long number)
    {
        for (long divisor = 2; divisor * divisor <= number; divisor++)
        {
            if (number % divisor == 0)
                return false;
        }

        return true;
    }

    private static Dictionary<string, Value> Values(Model model) =>
        model.Graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().ToDictionary(v => v.Name, StringComparer.Ordinal);

    private float[][] Run(Model model, (string Name, long Step)[] values, IReadOnlyDictionary<string, RuntimeTensor> inputs, CancellationToken cancellationToken)
    {
        if (values.Length == 0)
            return [];
        using var edit = new TemporaryNodes(model, "samcompress_error");
        string[] outputs = [.. values.Select(v => edit.Output(Sampled(edit, v.Name, v.Step)))];
        using OnnxSession session = OnnxSession.Open(model, _settings);
        using RuntimeTensors results = session.Run(inputs, outputs, cancellationToken);
        return [.. outputs.Select(o => results[o].ToArray<float>())];
    }

    private static Value Sampled(TemporaryNodes edit, string name, long step)
    {
        Value flat = edit.Add("Reshape", [edit.Find(name), edit.Constant(Tensor.Vector(-1))]);
        return edit.Add("Slice", [flat, edit.Constant(Tensor.Vector(0)), edit.Constant(Tensor.Vector(long.MaxValue)), edit.Constant(Tensor.Vector(0)), edit.Constant(Tensor.Vector(step))]);
    }
}
