namespace SamCompress.Cli.Jobs;

/// <summary>Finds few and cheap layers to leave float, so that a score is reached.</summary>
/// <param name="judge">The score of the model in which some layers are float.</param>
internal sealed class MixtureSearch(IReadOnlyList<MeasuredLayer> layers, Func<IReadOnlyList<MeasuredLayer>, double> judge)
{
    private readonly Dictionary<string, double> _known = new(StringComparer.Ordinal);

    /// <summary>How many mixtures were judged.</summary>
    public int Evaluations => _known.Count;

    /// <summary>
    /// Orders in which layers may be given up: by IoU lost for each operation that quantizing them saves, and by IoU lost alone. The first finds cheap
    /// mixtures where many layers lose a little, the second where few lose much.
    /// </summary>
    internal IReadOnlyList<IReadOnlyList<MeasuredLayer>> Orders { get; } =
    [
        Sorted(layers, l => (l.IouLoss ?? 0) / Math.Max(1, l.Macs ?? 1)),
        Sorted(layers, l => l.IouLoss ?? 0),
    ];

    /// <param name="trials">How many of the chosen layers may be tried as quantized again.</param>
    /// <param name="report">Told how many models were judged, of about how many.</param>
    /// <returns>The layers to leave float, in the order in which they were given up, and the score; null when even one quantized layer is too many.</returns>
    public (IReadOnlyList<MeasuredLayer> Float, double Score)? Run(double wanted, int trials, Action<int, int> report)
    {
        int total = (Orders.Count * (1 + (int)Math.Log2(Math.Max(1, layers.Count)))) + trials;
        List<MeasuredLayer>? chosen = Orders.Select(o => Bisect(o, wanted, () => report(Math.Min(Evaluations, total), total))).OfType<List<MeasuredLayer>>().MinBy(Cost);
        if (chosen is null)
            return null;
        foreach (MeasuredLayer layer in chosen.OrderByDescending(l => l.Macs ?? 0).Take(trials).ToArray())
        {
            if (chosen.Count > 1 && Score([.. chosen.Where(l => l != layer)]) >= wanted)
                chosen.Remove(layer);
            report(Math.Min(Evaluations, total), total);
        }

        return (chosen, Score(chosen));
    }

    private static long Cost(IReadOnlyList<MeasuredLayer> isFloat) => isFloat.Sum(l => l.Macs ?? 0);

    private static IReadOnlyList<MeasuredLayer> Sorted(IReadOnlyList<MeasuredLayer> layers, Func<MeasuredLayer, double> loss) =>
        [.. layers.OrderByDescending(loss).ThenBy(l => l.EmbeddingSqnr ?? double.PositiveInfinity).ThenBy(l => l.Name, StringComparer.Ordinal)];

    /// <summary>The fewest layers from the start of an order that reach the score; null when only all of them do.</summary>
    private List<MeasuredLayer>? Bisect(IReadOnlyList<MeasuredLayer> order, double wanted, Action report)
    {
        // With none float it is known to miss; with all of them there is nothing left to quantize.
        int missing = 0, reaching = order.Count;
        while (reaching - missing > 1)
        {
            int middle = missing + ((reaching - missing) / 2);
            if (Score([.. order.Take(middle)]) >= wanted)
                reaching = middle;
            else
                missing = middle;
            report();
        }

        return reaching == order.Count ? null : [.. order.Take(reaching)];
    }

    private double Score(IReadOnlyList<MeasuredLayer> isFloat)
    {
        string key = string.Join('\n', isFloat.Select(l => l.NodeOutput).Order(StringComparer.Ordinal));
        if (!_known.TryGetValue(key, out double score))
            _known.Add(key, score = judge(isFloat));
        return score;
    }
}
