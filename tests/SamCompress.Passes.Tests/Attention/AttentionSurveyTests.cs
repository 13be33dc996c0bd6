using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Targets;

namespace SamCompress.Passes.Tests.Attention;

public sealed class AttentionSurveyTests
{
    [Theory]
    [InlineData("sam-nano/encoder", "4 x softmax, 9 of 49 x 49, 6 heads of 32, decomposed 7x7; 2 x softmax, 1 of 256 x 256, 6 heads of 32, decomposed 16x16")]
    [InlineData("sam_b_encoder", "8 x softmax, 25 of 196 x 196, 12 heads of 64, decomposed 14x14; 4 x softmax, 1 of 4096 x 4096, 12 heads of 64, decomposed 64x64")]
    [InlineData("sam_b_encoder_dynamo", "8 x softmax, 25 of 196 x 196, 12 heads of 64, decomposed 14x14; 4 x softmax, 1 of 4096 x 4096, 12 heads of 64, decomposed 64x64")]
    [InlineData("mobilesam_encoder", "2 x softmax, 361 of 49 x 49, 4 heads of 32, bias table; 6 x softmax, 25 of 196 x 196, 5 heads of 32, bias table; 2 x softmax, 100 of 49 x 49, 10 heads of 32, bias table")]
    [InlineData("efficientsam_ti_encoder", "12 x softmax, 1 of 4096 x 4096, 3 heads of 64, none")]
    [InlineData("efficientvit_sam_l0_encoder", "4 x linear, 1 of 256 x 256, 32 heads of 32, none")]
    [InlineData("sam_decoder", "2 x softmax,  of  x , 8 heads of 32, not read; 3 x softmax,  of  x 4096, 8 heads of 16, not read; 2 x softmax,  of 4096 x , 8 heads of 16, not read")]
    public void Every_exporter_is_covered(string name, string expected)
    {
        using Model model = AttentionCheck.Prepared(name);
        var survey = AttentionSurvey.Of(model);
        Assert.Empty(survey.Misses);
        Assert.Equal(expected, Text(survey));
    }

    [Fact]
    public void What_fusion_and_linear_attention_wrote_is_covered()
    {
        using Model model = AttentionCheck.Prepared("sam-nano/encoder");
        new PassPipeline([.. StandardPipeline.Rewrite(new LinearizeAttention(new AttentionSelection([2]))), .. StandardPipeline.FuseForTarget(TargetDescription.Load(TargetDescription.Default))]).Run(model, PassCheck.Context());
        var survey = AttentionSurvey.Of(model);
        Assert.Empty(survey.Misses);
        Assert.Equal("4 x products,  of 49 x 49, 54 heads of 32, folded; 1 x linear, 1 of 256 x 256, 6 heads of 32, none; 1 x products,  of 256 x 256, 6 heads of 32, folded", Text(survey));
    }

    [Fact]
    public void What_is_not_understood_is_named_with_the_nearest_miss()
    {
        using Model model = AttentionCheck.Parse(SamBlockText.Global(2, 3).With("probs = Softmax <axis = -1> (s)", "n = Neg (s) probs = Softmax <axis = -1> (n)"));
        AttentionGap miss = Assert.Single(AttentionSurvey.Of(model).Misses);
        Assert.Equal((AttentionMiss.QueryAndKey, "no product of two activations is found behind the Softmax"), (miss.Part, miss.Reason));
    }

    private static string Text(AttentionSurvey survey) => string.Join("; ", survey.Attentions
        .GroupBy(a => a with { Name = "", Number = null, Layers = [] })
        .Select(g => $"{g.Count()} x {g.Key.Form}, {g.Key.Groups} of {g.Key.Queries} x {g.Key.Keys}, {g.Key.Heads} heads of {g.Key.HeadSize}, {g.Key.Position}"));
}
