using System.Collections.Immutable;
using System.Globalization;

namespace SamCompress.Passes.Pruning;

/// <summary>Decides which channels stay. A pure function of groups, scores and options.</summary>
/// <remarks>
/// A layer of width C keeps floor(C (1 - ratio)), rounded down to a multiple. With global ranking, the same number of channels over all groups of a kind, wherever they score best;
/// a group that would be emptied keeps the minimum, and is noted. Of equal scores the lower channel stays. Source: algorithms.md 3.5.
/// </remarks>
public static class PruningPlanner
{
    /// <param name="scores">For each group that may lose channels, by name: what each channel is worth.</param>
    /// <exception cref="InvariantException">A group has no scores, or another number of them than channels.</exception>
    public static PruningPlan Plan(IReadOnlyList<ChannelGroup> groups, IReadOnlyDictionary<string, double[]> scores, PruningOptions options)
    {
        ArgumentNullException.ThrowIfNull(groups);
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(options);
        var plans = new Dictionary<string, GroupPlan>(StringComparer.Ordinal);
        var notes = new List<string>();
        foreach (IGrouping<ChannelGroupKind, ChannelGroup> kind in groups.Where(g => options.RatioOf(g.Kind) > 0).GroupBy(g => g.Kind))
        {
            Scored[] scored = [.. kind.Select(g => new Scored(g, ScoresOf(g, scores)))];
            int[] wanted = options.Ranking == PruningRanking.Local ? [.. scored.Select(s => LocalCount(s.Group, options))] : GlobalCounts(scored, options);
            for (int i = 0; i < scored.Length; i++)
                plans[scored[i].Group.Name] = Decide(scored[i], wanted[i], options, notes);
        }

        return new PruningPlan([.. groups.Select(g => plans.GetValueOrDefault(g.Name)).OfType<GroupPlan>().Where(p => p.Kept.Length < p.Size)]) { Notes = notes };
    }

    /// <summary>The scores of a group as they are compared with those of others.</summary>
    public static double[] Normalize(IReadOnlyList<double> scores, ScoreNormalization normalization)
    {
        ArgumentNullException.ThrowIfNull(scores);
        const double Epsilon = 1e-8;
        double mean = scores.Average(), min = scores.Min(), max = scores.Max();
        double deviation = Math.Sqrt(scores.Sum(s => (s - mean) * (s - mean)) / Math.Max(1, scores.Count - 1));
        return normalization switch
        {
            ScoreNormalization.Mean => [.. scores.Select(s => Quotient(s, mean))],
            ScoreNormalization.Max => [.. scores.Select(s => Quotient(s, max))],
            ScoreNormalization.Sum => [.. scores.Select(s => Quotient(s, scores.Sum()))],
            ScoreNormalization.Gaussian => [.. scores.Select(s => (s - mean) / (deviation + Epsilon))],
            ScoreNormalization.Standardization => [.. scores.Select(s => (s - min) / (max - min + Epsilon))],
            _ => [.. scores],
        };
    }

    /// <summary>Scores that are all zero stay zero.</summary>
    private static double Quotient(double score, double by) => by == 0 ? 0 : score / by;

    private sealed record Scored(ChannelGroup Group, double[] Scores);

    private static double[] ScoresOf(ChannelGroup group, IReadOnlyDictionary<string, double[]> scores) =>
        scores.TryGetValue(group.Name, out double[]? own) && own.Length == group.Size
            ? own
            : throw new InvariantException($"group '{group.Name}' of {group.Size} channels has {own?.Length ?? 0} scores");

    private static int LocalCount(ChannelGroup group, PruningOptions options) => Floor(group.Width, options.RatioOf(group.Kind)) / group.Copies;

    private static int[] GlobalCounts(Scored[] scored, PruningOptions options)
    {
        int total = scored.Sum(s => s.Group.Size);
        IEnumerable<int> kept = scored
            .SelectMany((s, group) => Normalize(s.Scores, options.Normalization).Select(score => (Group: group, Score: score)))
            .OrderByDescending(c => c.Score) // stable: of equal scores those of the first groups stay
            .Take(Floor(total, options.RatioOf(scored[0].Group.Kind)))
            .Select(c => c.Group);
        var counts = new int[scored.Length];
        foreach (int group in kept)
            counts[group]++;
        return counts;
    }

    /// <summary>The guard is for products such as 10 * (1 - 0.9), which come out below 1.</summary>
    private static int Floor(int channels, double ratio) => (int)Math.Floor((channels * (1 - ratio)) + 1e-9);

    private static GroupPlan Decide(Scored scored, int wanted, PruningOptions options, List<string> notes)
    {
        ChannelGroup group = scored.Group;
        int period = group.Kind == ChannelGroupKind.Embedding && options.EmbeddingPeriod is { } p && group.Size % p == 0 ? p : group.Size;
        int runs = group.Size / period;
        bool Fits(int keep) => keep % runs == 0 && keep * group.Copies % options.RoundTo == 0;
        int count = wanted;
        while (count > 0 && !Fits(count))
            count--;
        int least = Math.Clamp(options.Minimum, 1, group.Size);
        if (count < least)
        {
            count = least;
            while (count < group.Size && !Fits(count))
                count++;
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"{group.Name}: {wanted} of {group.Size} channels would be left; it keeps {count}"));
        }

        double[] folded = [.. Enumerable.Range(0, period).Select(c => Enumerable.Range(0, runs).Sum(run => scored.Scores[(run * period) + c]))];
        int[] chosen = [.. Enumerable.Range(0, period).OrderByDescending(c => folded[c]).Take(count / runs)];
        ImmutableArray<int> kept = [.. Enumerable.Range(0, runs).SelectMany(run => chosen.Select(c => (run * period) + c)).Order()];
        string how = options.Ranking == PruningRanking.Local ? "within the group" : "among all groups of the kind";
        return new GroupPlan
        {
            Group = group.Name,
            Kind = group.Kind,
            Size = group.Size,
            Kept = kept,
            Scores = [.. scored.Scores],
            Why = string.Create(CultureInfo.InvariantCulture, $"ratio {options.RatioOf(group.Kind)} {how} leaves {wanted}{(count == wanted ? "" : $", made {count}")}"),
        };
    }
}
