using SamCompress.Runtime.Inference;

namespace SamCompress.Benchmarks.Quantization;

/// <summary>
/// <c>quantization [--calibration DIR] [--pictures DIR] [--model NAME] [part ...]</c>: every figure that quantization is judged by, as Markdown tables.
/// </summary>
internal static class QuantizationTables
{
    private static readonly QuantizationPart[] Parts = [new AccuracyTable(), new PictureTable(), new AblationTable(), new TargetTable(), new SpeedTable()];

    /// <returns>The exit code: a demand that is missed is in the tables, not in the code.</returns>
    public static int Print(string[] arguments)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal) { ["--calibration"] = "", ["--pictures"] = "", ["--model"] = "" };
        var names = new List<string>();
        for (int i = 0; i < arguments.Length; i++)
        {
            if (!options.ContainsKey(arguments[i]))
                names.Add(arguments[i]);
            else if (i + 1 < arguments.Length)
                options[arguments[i]] = arguments[++i];
            else
                return Refuse($"{arguments[i]} needs a value");
        }

        if (names.FirstOrDefault(n => Parts.All(p => p.Name != n)) is { } unknown)
            return Refuse($"no part '{unknown}'; there are {string.Join(", ", Parts.Select(p => p.Name))}, and the options {string.Join(", ", options.Keys)}");
        string model = options["--model"];
        QuantizationPart[] parts = [.. Parts.Where(p => (names.Count == 0 || names.Contains(p.Name)) && (model.Length == 0 || p.Models.Contains(model)))];
        if (parts.Length == 0)
            return Refuse($"no part that was chosen has a model '{model}'; there are {string.Join(", ", Parts.SelectMany(p => p.Models).Distinct())}");

        try
        {
            using var trials = new Trials(Given(options["--calibration"]), Given(options["--pictures"]));
            // The command line builds itself when it is older than its sources: that must not be timed.
            Execution.Of("doctor", "--format", "json", "-q");
            Console.WriteLine(
                $"{trials.Calibration.Count} pictures to calibrate with, {trials.Evaluation.Count} others to judge by; ONNX Runtime {OnnxSession.RuntimeVersion} on {Environment.ProcessorCount} cores.");
            foreach (QuantizationPart part in parts)
                part.Print(trials, model.Length == 0 ? part.Models : [model]);
            return 0;
        }
        catch (SamCompressException e)
        {
            return Refuse(e.Message);
        }
    }

    private static string? Given(string folder) => folder.Length == 0 ? null : folder;

    private static int Refuse(string why)
    {
        Console.Error.WriteLine(why);
        return 2;
    }
}
