using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Passes.Tests.Equalization;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Attention;

public sealed class ReduceRelativePositionTests
{
    private static readonly AttentionSelection All = new();

    /// <summary>Of 3 + 3 columns 2 directions are shared by all keys, which a Softmax does not see: rank 4 loses nothing, whatever was observed.</summary>
    [Fact]
    public void All_directions_that_a_softmax_sees_compute_the_same() => Snapshot.Match(Apply(rank: 4));

    [Fact]
    public void Fewer_directions_compute_something_else()
    {
        using Model expected = AttentionCheck.Parse(SamBlockText.Global(3, 3));
        using Model actual = Reduced(rank: 1);
        Assert.ThrowsAny<Exception>(() => NumericAssert.Close(expected, actual, AttentionCheck.MaxRelative));
    }

    [Fact]
    public void What_it_wrote_is_read_with_its_rank()
    {
        using Model model = Reduced(rank: 2);
        Assert.Equal(2, Assert.IsType<ProjectedPosition>(Assert.Single(SelfAttentionReader.Read(model).Attentions).Position).Rank);
    }

    /// <summary>Each of the 4 directions has the same share of a logit, (1/3 + 1/3) of which 2 of 3 are seen in each part.</summary>
    [Theory]
    [InlineData(2, 8)] // nothing is needed, but a rank is a multiple of 8
    [InlineData(0, 8)]
    public void The_rank_keeps_the_error_under_the_bound(double error, int rank)
    {
        var gram = new float[36];
        for (int i = 0; i < 6; i++)
            gram[i * 7] = 1;
        Assert.Equal(rank, PositionSpectrum.Of(gram, 3, 3).RankFor(error, 8));
    }

    /// <summary>8 directions would be the next multiple of 8, more than there are columns; 4 of the 6 are exact.</summary>
    [Fact]
    public void No_error_bound_needs_more_directions_than_a_softmax_sees()
    {
        using Model expected = AttentionCheck.Parse(SamBlockText.Global(3, 3));
        using Model actual = Reduced(rank: null);
        Assert.Equal(4, Assert.IsType<ProjectedPosition>(Assert.Single(SelfAttentionReader.Read(actual).Attentions).Position).Rank);
        NumericAssert.Close(expected, actual, AttentionCheck.MaxRelative);
    }

    [Fact]
    public void A_rank_of_all_columns_changes_nothing()
    {
        using Model model = Reduced(rank: 6);
        Assert.True(Assert.Single(SelfAttentionReader.Read(model).Attentions).Position is DecomposedPosition { IsFolded: true });
    }

    [Fact]
    public void Refuses_positions_that_are_not_folded() =>
        AttentionCheck.Refuses(SamBlockText.Global(3, 3), new ReduceRelativePosition(All, EqualizationCheck.Statistics()), "its relative positions are not folded");

    [Fact]
    public void Refuses_what_was_not_observed()
    {
        using Model model = Folded();
        string message = Assert.Throws<SamCompressException>(() => new ReduceRelativePosition(All, EqualizationCheck.Statistics()).Apply(model, PassCheck.Context())).Message;
        Assert.EndsWith("was not observed", message, StringComparison.Ordinal);
    }

    private static Model Folded()
    {
        Model model = AttentionCheck.Parse(SamBlockText.Global(3, 3));
        new PassPipeline(StandardPipeline.Rewrite(new FoldRelativePosition(All))).Run(model, PassCheck.Context());
        return model;
    }

    private static Model Reduced(int? rank)
    {
        Model model = Folded();
        new PassPipeline(StandardPipeline.Rewrite(new ReduceRelativePosition(All, Statistics(model), rank: rank))).Run(model, PassCheck.Context());
        return model;
    }

    private static string Apply(int rank)
    {
        using Model folded = Folded();
        return AttentionCheck.Apply(SamBlockText.Global(3, 3), [.. StandardPipeline.Rewrite(new FoldRelativePosition(All)), .. StandardPipeline.Rewrite(new ReduceRelativePosition(All, Statistics(folded), rank: rank))]);
    }

    /// <summary>Second moments of random columns.</summary>
    private static CalibrationStatistics Statistics(Model folded)
    {
        ObservedValue observed = Assert.Single(ReduceRelativePosition.RequestedStatistics(folded, All));
        Assert.Equal((6, ObservationDetail.SecondMoments), (observed.Channels, observed.Detail));
        var random = new Random(3);
        float[][] rows = [.. Enumerable.Range(0, 20).Select(_ => Enumerable.Range(0, 6).Select(_ => (float)random.NextDouble() - 0.5f).ToArray())];
        float[] gram = [.. Enumerable.Range(0, 36).Select(i => rows.Average(r => r[i / 6] * r[i % 6]))];
        ValueStatistics value = EqualizationCheck.Value(observed.Name, -1, [.. Enumerable.Repeat((-0.5f, 0.5f), 6)]) with
        {
            Samples = new ActivationSamples(6, [.. rows.SelectMany(r => r)], [.. Enumerable.Range(0, 6).Select(c => gram[c * 7])], gram, new float[6]),
        };
        return EqualizationCheck.Statistics(value);
    }
}
