using SamCompress.IR;
using SamCompress.Passes.Attention;
using Xunit.Abstractions;

namespace SamCompress.Passes.Tests.Attention;

public sealed class AttentionFinderTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("sam-nano/encoder", 6)]
    [InlineData("sam-nano/decoder", 7)]
    [InlineData("sam_b_encoder", 12)]
    [InlineData("sam_b_encoder_dynamo", 12)]
    [InlineData("sam_h_encoder", 32)]
    [InlineData("sam_decoder", 7)]
    [InlineData("mobilesam_encoder", 10)]
    [InlineData("efficientsam_ti_encoder", 12)]
    [InlineData("efficientvit_sam_l0_encoder", 0)]
    public void Finds_every_attention(string name, int count)
    {
        using Model model = Equalization.EqualizationCheck.Prepared(name);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        AttentionView view = AttentionFinder.Find(model);
        output.WriteLine($"{clock.Elapsed}");
        foreach (AttentionBlock b in view.Blocks)
            output.WriteLine($"{b.Softmax} {b.QueryKey?.Query.Place} {b.QueryKey?.Query.HeadSize} {b.QueryKey?.Query.Columns[0]} {b.QueryKey?.Key.Columns[0]} {b.Value?.Value.Columns[0]} {b.QueryKey?.LogitScale} {b.QueryKey?.NotShiftInvariant} {b.QueryKey?.Query.OtherReadings.Count}");
        foreach (AttentionMiss m in view.Misses)
            output.WriteLine($"{m}");
        Assert.Equal(count, view.Blocks.Count);
        Assert.Empty(view.Misses);
    }
}
