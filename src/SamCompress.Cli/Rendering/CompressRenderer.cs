using SamCompress.Cli.Jobs;
using SamCompress.IR;
using SamCompress.Passes.Recipes;

namespace SamCompress.Cli.Rendering;

/// <summary>What a recipe would do, in a few lines.</summary>
internal static class CompressRenderer
{
    public static void Write(CompressPlan plan, TextWriter writer)
    {
        writer.WriteLine($"recipe     {SafeText.Line(plan.Recipe.Name)}: {SafeText.Line(plan.Recipe.Description)}");
        foreach (ReportedAttention attention in plan.Attentions)
            writer.WriteLine($"attention {RewriteText.Attention(attention)}");
        if (plan.Recipe.Slim is { } slim)
            writer.WriteLine($"slim       {SlimmingText.Title(slim)}, {slim.Distillation.Updates} updates of {slim.Distillation.Batch}");
        foreach ((RewriteStep step, ReportedRewrite rewrite) in plan.Recipe.Rewrites.Zip(plan.Rewrites))
            writer.WriteLine($"rewrite    {rewrite.What}: {RewriteText.Blocks(rewrite.Attentions)}{(step.Blocks.IsAuto ? " at most" : "")}{(step.Repair ? ", repaired" : "")}; MACs {RewriteText.Macs(rewrite.MacsBefore, rewrite.MacsAfter)}");
        QuantizeStep quantize = plan.Recipe.Quantize;
        writer.WriteLine($"quantize   {quantize.Precision} for {SafeText.Line(quantize.Target)}, scales by {quantize.CalibrationMethod}; decoder {quantize.DecoderPrecision ?? "left as it is"}");
    }
}
