namespace SamCompress.Benchmarks.Quantization;

/// <summary>How much the masks depend on which pictures calibration sees: all of them, and several choices of half as many.</summary>
internal sealed class PictureTable : QuantizationPart
{
    private const string Model = "sam-nano-hard";
    private const double Tolerance = 0.005;

    public override string Name => "pictures";

    public override IReadOnlyList<string> Models => [Model];

    public override void Print(Trials trials, IReadOnlyCollection<string> models)
    {
        var table = new Table($"pictures to calibrate {Model} w8a8 with", "choice", "pictures", "mean IoU", "against all", "demands");
        double full = double.NaN;
        var means = new List<double>();
        foreach ((string name, IReadOnlyList<string> pictures) in Choices(trials.Calibration))
        {
            double mean = trials.Evaluate(trials.Quantize(Trials.Sample(Model), [], pictures)).Number("meanIou");
            bool first = double.IsNaN(full);
            full = first ? mean : full;
            means.Add(mean);
            table.Row(
                name,
                $"{pictures.Count}",
                Table.Share(mean),
                first ? "" : Table.Number(mean - full, "+0.0000;-0.0000"),
                first ? "" : Demand.Verdict(Demand.AtMost("difference", Tolerance, Math.Abs(mean - full))));
        }

        table.Row("spread", "", Table.Share(means.Max() - means.Min()), "", "");
    }

    private static IEnumerable<(string Name, IReadOnlyList<string> Pictures)> Choices(IReadOnlyList<string> all)
    {
        int half = all.Count / 2;
        yield return ("all", all);
        yield return ("first half", [.. all.Take(half)]);
        yield return ("second half", [.. all.TakeLast(half)]);
        yield return ("even", [.. all.Where((_, i) => i % 2 == 0).Take(half)]);
        yield return ("odd", [.. all.Where((_, i) => i % 2 == 1)]);
        foreach (int seed in new[] { 1, 2 })
        {
            string[] shuffled = [.. all];
            new Random(seed).Shuffle(shuffled);
            yield return ($"random, seed {seed}", [.. shuffled.Take(half).Order(StringComparer.Ordinal)]);
        }
    }
}
