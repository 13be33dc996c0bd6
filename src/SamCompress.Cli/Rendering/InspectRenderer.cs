using SamCompress.Cli.Jobs;
using SamCompress.IR;
using SamCompress.Passes.Analysis;

namespace SamCompress.Cli.Rendering;

internal static class InspectRenderer
{
    private const int MostKinds = 12;

    public static void Write(InspectReport report, TextWriter writer)
    {
        string kind = report.Kind switch
        {
            ModelKind.SamEncoder => "SAM image encoder",
            ModelKind.SamDecoder => "SAM prompt encoder and mask decoder",
            _ => "no SAM encoder or decoder",
        };
        writer.WriteLine($"{SafeText.Line(report.Model)}: {kind}");
        string opsets = string.Join(", ", report.Opsets.Select(o => $"{SafeText.Of(o.Key)} {o.Value}"));
        string producer = report.Producer.Length > 0 ? $", by {SafeText.Of(report.Producer)}" : "";
        writer.WriteLine($"  format       IR version {report.IrVersion}, opset {opsets}{producer}");
        Values(writer, "inputs", report.Inputs);
        Values(writer, "outputs", report.Outputs);
        writer.WriteLine($"  parameters   {report.Parameters:N0}");
        MacCounts macs = report.Macs;
        writer.WriteLine($"  MACs         {Quantity.Count(macs.Total)} = linear {Quantity.Count(macs.Linear)} + attention {Quantity.Count(macs.Attention)} + relative position {Quantity.Count(macs.RelativePosition)}");
        if (report.UncountedNodes.Count > 0)
            writer.WriteLine($"               without {report.UncountedNodes.Count} nodes of unknown shape; fix {Symbols(report)} with --input-shape");
        string kinds = string.Join(", ", report.NodesByKind.Take(MostKinds).Select(k => $"{SafeText.Of(k.Key)} {k.Value}"));
        string more = report.NodesByKind.Count > MostKinds ? $", {report.NodesByKind.Count - MostKinds} more kinds" : "";
        writer.WriteLine($"  nodes        {report.Nodes}: {kinds}{more}");
        string at = report.Memory.PeakNode is { } node ? $" (at {SafeText.Of(node)})" : "";
        writer.WriteLine($"  memory       {Quantity.Bytes(report.Memory.WeightBytes)} of weights, {Quantity.Bytes(report.Memory.PeakActivationBytes)} of activations{at}");
        writer.WriteLine($"  files        {Quantity.Bytes(report.FileBytes)}");
    }

    private static string Symbols(InspectReport report) =>
        report.SymbolicDimensions.Count == 0 ? "the inputs" : string.Join(", ", report.SymbolicDimensions.Select(SafeText.Of));

    private static void Values(TextWriter writer, string title, IReadOnlyList<InspectedValue> values)
    {
        foreach (InspectedValue value in values)
        {
            writer.WriteLine($"  {title,-12} {SafeText.Of(value.Name)}: {value.Type}{(value.Shape is null ? "" : SafeText.Of($"[{string.Join(',', value.Shape.Select(d => d ?? "?"))}]"))}");
            title = "";
        }
    }
}
