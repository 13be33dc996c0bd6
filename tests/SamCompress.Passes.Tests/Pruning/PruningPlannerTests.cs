using SamCompress.Passes.Pruning;

namespace SamCompress.Passes.Tests.Pruning;

public sealed class PruningPlannerTests
{
    private static ChannelGroup Group(string name, int size, int copies = 1, ChannelGroupKind kind = ChannelGroupKind.MlpHidden) =>
        new() { Name = name, Kind = kind, Size = size, Copies = copies, IsNormalized = false, Members = [], SizedNodes = [] };

    private static Dictionary<string, double[]> Scores(params (string Name, double[] Scores)[] scores) => scores.ToDictionary(s => s.Name, s => s.Scores);

    [Fact]
    public void Keeps_the_best_channels_of_each_group()
    {
        PruningPlan plan = PruningPlanner.Plan([Group("a", 4), Group("b", 5)], Scores(("a", [3, 1, 2, 4]), ("b", [0, 5, 5, 5, 9])), new PruningOptions { MlpRatio = 0.5 });

        Assert.Equal([0, 3], plan.Groups[0].Kept.ToArray());
        Assert.Equal([1, 4], plan.Groups[1].Kept.ToArray()); // floor(2.5) = 2; of equal scores the lower channel
        Assert.Equal("ratio 0.5 within the group leaves 2", plan.Groups[0].Why);
        Assert.Equal([3, 1, 2, 4], plan.Groups[0].Scores.ToArray());
        Assert.Empty(plan.Notes);
    }

    /// <summary>Algorithms 1.4: 768 and 3072 at 0.5 and 0.77, rounded down to 12.</summary>
    [Theory]
    [InlineData(768, 1, 0.5, 384)]
    [InlineData(768, 1, 0.77, 168)]
    [InlineData(3072, 1, 0.5, 1536)]
    [InlineData(3072, 1, 0.77, 696)]
    [InlineData(64, 12, 0.5, 32)]
    [InlineData(64, 12, 0.77, 14)]
    public void SlimSAM_keeps_its_widths(int size, int copies, double ratio, int kept)
    {
        double[] scores = [.. Enumerable.Range(0, size).Select(i => (double)i)];
        PruningPlan plan = PruningPlanner.Plan([Group("a", size, copies)], Scores(("a", scores)), new PruningOptions { MlpRatio = ratio, RoundTo = 12 });

        Assert.Equal(Enumerable.Range(size - kept, kept), plan.Groups[0].Kept);
    }

    [Fact]
    public void Rounds_the_width_over_all_heads()
    {
        // 6 heads x 10 = 60, of which 48 = 8 x 6 are left, rounded to 16: 48. With ratio 0.25: 45 / 6 = 7 -> 6 x 7 = 42 -> no multiple of 4; 6 x 6 = 36 is.
        double[] scores = [.. Enumerable.Range(0, 10).Select(i => (double)i)];
        ChannelGroup[] groups = [Group("a", 10, 6, ChannelGroupKind.AttentionHead)];

        Assert.Equal(8, PruningPlanner.Plan(groups, Scores(("a", scores)), new PruningOptions { AttentionRatio = 0.2, RoundTo = 16 }).Groups[0].Kept.Length);
        Assert.Equal(6, PruningPlanner.Plan(groups, Scores(("a", scores)), new PruningOptions { AttentionRatio = 0.25, RoundTo = 4 }).Groups[0].Kept.Length);
    }

    [Fact]
    public void A_product_just_below_a_whole_number_is_that_number()
    {
        // 10 * (1 - 0.9) is 0.99999999999999978 in double.
        PruningPlan plan = PruningPlanner.Plan([Group("a", 10)], Scores(("a", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])), new PruningOptions { MlpRatio = 0.9 });

        Assert.Equal([9], plan.Groups[0].Kept.ToArray());
        Assert.Empty(plan.Notes);
    }

    [Fact]
    public void Ranks_all_groups_of_a_kind_together()
    {
        // Without normalization all of the small scores go: 3 of 6 stay.
        ChannelGroup[] groups = [Group("a", 3), Group("b", 3), Group("c", 3, kind: ChannelGroupKind.ConvChannels)];
        Dictionary<string, double[]> scores = Scores(("a", [1, 2, 3]), ("b", [2.5, 10, 20]), ("c", [0, 0, 0]));
        PruningPlan plan = PruningPlanner.Plan(groups, scores, new PruningOptions { MlpRatio = 0.5, Ranking = PruningRanking.Global, Normalization = ScoreNormalization.None });

        Assert.Equal(["a", "b"], plan.Groups.Select(g => g.Group));
        Assert.Equal([2], plan.Groups[0].Kept.ToArray());
        Assert.Equal([1, 2], plan.Groups[1].Kept.ToArray());
    }

    [Fact]
    public void A_group_that_keeps_all_is_not_in_the_plan()
    {
        PruningPlan plan = PruningPlanner.Plan(
            [Group("a", 2), Group("b", 2)], Scores(("a", [8, 9]), ("b", [1, 2])), new PruningOptions { MlpRatio = 0.25, Ranking = PruningRanking.Global, Normalization = ScoreNormalization.None });

        Assert.Equal("b", Assert.Single(plan.Groups).Group);
    }

    /// <summary>Where SlimSAM leaves such a block unpruned.</summary>
    [Fact]
    public void A_group_that_would_be_emptied_keeps_the_minimum_and_is_noted()
    {
        ChannelGroup[] groups = [Group("a", 4), Group("b", 4)];
        Dictionary<string, double[]> scores = Scores(("a", [1, 2, 4, 3]), ("b", [5, 6, 7, 8]));
        var options = new PruningOptions { MlpRatio = 0.5, Ranking = PruningRanking.Global, Normalization = ScoreNormalization.None };

        PruningPlan one = PruningPlanner.Plan(groups, scores, options), two = PruningPlanner.Plan(groups, scores, options with { Minimum = 2 });

        Assert.Equal([2], one.Groups.Single().Kept.ToArray());
        Assert.Equal(["a: 0 of 4 channels would be left; it keeps 1"], one.Notes);
        Assert.Equal([2, 3], two.Groups.Single().Kept.ToArray());
    }

    [Fact]
    public void The_minimum_is_a_multiple_too()
    {
        PruningPlan plan = PruningPlanner.Plan([Group("a", 12)], Scores(("a", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])), new PruningOptions { MlpRatio = 0.9, RoundTo = 4 });

        Assert.Equal([8, 9, 10, 11], plan.Groups[0].Kept.ToArray());
    }

    /// <summary>Algorithms 3.3: scores are summed over the runs, and the same places of each run stay.</summary>
    [Fact]
    public void Embeddings_can_be_chosen_with_a_period()
    {
        ChannelGroup[] groups = [Group("a", 6, kind: ChannelGroupKind.Embedding)];
        Dictionary<string, double[]> scores = Scores(("a", [1, 9, 5, 9, 1, 6])); // sums 10, 10, 11
        var options = new PruningOptions { EmbeddingRatio = 0.5, EmbeddingPeriod = 3 };

        Assert.Equal([2, 5], PruningPlanner.Plan(groups, scores, options).Groups[0].Kept.ToArray()); // 3 of 6 is no multiple of the 2 runs
        Assert.Equal([0, 2, 3, 5], PruningPlanner.Plan(groups, scores, options with { EmbeddingRatio = 0.33 }).Groups[0].Kept.ToArray());
        Assert.Equal([1, 3, 5], PruningPlanner.Plan(groups, scores, options with { EmbeddingPeriod = null }).Groups[0].Kept.ToArray());
    }

    /// <summary>Of 1, 3, 5: mean 3, sample deviation 2.</summary>
    [Theory]
    [InlineData(ScoreNormalization.None, 1, 3, 5)]
    [InlineData(ScoreNormalization.Mean, 1 / 3.0, 1, 5 / 3.0)]
    [InlineData(ScoreNormalization.Max, 0.2, 0.6, 1)]
    [InlineData(ScoreNormalization.Sum, 1 / 9.0, 3 / 9.0, 5 / 9.0)]
    [InlineData(ScoreNormalization.Gaussian, -1, 0, 1)]
    [InlineData(ScoreNormalization.Standardization, 0, 0.5, 1)]
    public void Scores_are_normalized(ScoreNormalization normalization, double a, double b, double c)
    {
        double[] scores = PruningPlanner.Normalize([1, 3, 5], normalization);

        Assert.Equal(a, scores[0], 7);
        Assert.Equal(b, scores[1], 7);
        Assert.Equal(c, scores[2], 7);
    }

    [Theory]
    [InlineData(ScoreNormalization.Mean)]
    [InlineData(ScoreNormalization.Max)]
    [InlineData(ScoreNormalization.Sum)]
    [InlineData(ScoreNormalization.Gaussian)]
    [InlineData(ScoreNormalization.Standardization)]
    public void Scores_of_zero_stay_zero(ScoreNormalization normalization) => Assert.Equal([0, 0], PruningPlanner.Normalize([0, 0], normalization));

    [Fact]
    public void Missing_scores_are_a_bug()
    {
        Assert.Throws<InvariantException>(() => PruningPlanner.Plan([Group("a", 2)], Scores(), new PruningOptions { MlpRatio = 0.5 }));
        Assert.Throws<InvariantException>(() => PruningPlanner.Plan([Group("a", 2)], Scores(("a", [1])), new PruningOptions { MlpRatio = 0.5 }));
        Assert.Empty(PruningPlanner.Plan([Group("a", 2)], Scores(), new PruningOptions()).Groups);
    }
}
