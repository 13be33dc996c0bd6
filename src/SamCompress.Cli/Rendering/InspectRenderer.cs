using System.Globalization;
using SamCompress.Cli.Jobs;
using SamCompress.IR;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Attention;

namespace SamCompress.Cli.Rendering;

internal static class InspectRenderer
{
    private const int MostKinds = 12;

    /// <param name="nodes">Whether to list what every node costs.</param>
    public static void Write(InspectReport report, bool nodes, TextWriter writer)
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
        if (report.Memory.LargestTensor is { } largest)
            writer.WriteLine($"               largest {SafeText.Of(largest.Name)}: {largest.Type}{SafeText.Of(largest.Shape)}, {Quantity.Bytes(largest.Bytes)}; {Quantity.Bytes(report.Memory.MovedBytes)} moved");
        if (report.Attention is { } attention)
            Attentions(attention, writer);
        writer.WriteLine($"  files        {Quantity.Bytes(report.FileBytes)}");
        foreach (Diagnostic finding in report.Findings)
            writer.WriteLine($"  {finding.Severity.ToString().ToLowerInvariant(),-12} {SafeText.Of(finding.Where)}: {SafeText.Line(finding.Message)} ({finding.Id})");
        if (nodes)
            Nodes(report, writer);
    }

    public static void Write(InspectComparison comparison, TextWriter writer)
    {
        writer.WriteLine($"before  {SafeText.Line(comparison.Before.Model)}");
        writer.WriteLine($"after   {SafeText.Line(comparison.After.Model)}");
        writer.WriteLine();
        writer.WriteLine($"  {"",-22}{"before",14}{"after",14}{"ratio",8}");
        foreach ((string name, ComparedQuantity quantity) in comparison.Quantities)
        {
            (string title, Func<long, string> text) = Titles[name];
            string ratio = quantity.Ratio?.ToString("F2", CultureInfo.InvariantCulture) ?? "";
            writer.WriteLine($"  {title,-22}{text(quantity.Before),14}{text(quantity.After),14}{ratio,8}".TrimEnd());
        }

        foreach (InspectReport report in new[] { comparison.Before, comparison.After }.Where(r => r.UncountedNodes.Count > 0))
            writer.WriteLine($"  {SafeText.Line(report.Model)}: without {report.UncountedNodes.Count} nodes of unknown shape; fix {Symbols(report)} with --input-shape");
    }

    private static IReadOnlyDictionary<string, (string Title, Func<long, string> Text)> Titles { get; } = new Dictionary<string, (string, Func<long, string>)>
    {
        ["parameters"] = ("parameters", n => n.ToString("N0", CultureInfo.InvariantCulture)),
        ["fileBytes"] = ("files", Quantity.Bytes),
        ["nodes"] = ("nodes", n => n.ToString(CultureInfo.InvariantCulture)),
        ["macs"] = ("MACs", Quantity.Count),
        ["linear"] = ("  linear", Quantity.Count),
        ["attention"] = ("  attention", Quantity.Count),
        ["relativePosition"] = ("  relative position", Quantity.Count),
        ["largestTensor"] = ("largest tensor", Quantity.Bytes),
        ["peakActivationBytes"] = ("activations at once", Quantity.Bytes),
        ["activationBytes"] = ("all activations", Quantity.Bytes),
        ["movedBytes"] = ("bytes moved", Quantity.Bytes),
    };

    /// <summary>One line for all attentions that are alike, with the numbers that rewrites call them by.</summary>
    private static void Attentions(AttentionSurvey survey, TextWriter writer)
    {
        int missed = survey.Misses.Select(m => m.Softmax).Distinct().Count(), all = survey.Attentions.Count;
        if (all + missed == 0)
            return;
        writer.WriteLine($"  attention    {all} found{(missed > 0 ? $", of {missed} a part is not understood" : "")}");
        foreach (IGrouping<AttentionSummary, AttentionSummary> alike in survey.Attentions.GroupBy(a => a with { Name = "", Number = a.Number is null ? null : 0, Layers = [] }))
        {
            AttentionSummary a = alike.Key;
            string numbers = a.Number is null ? $"{alike.Count()} x" : string.Join(", ", alike.Select(x => x.Number));
            string groups = a.Groups is > 1 ? $"{a.Groups} groups of " : "";
            string tokens = a.Queries == a.Keys ? $"{a.Queries?.ToString(CultureInfo.InvariantCulture) ?? "any number of"} tokens" : $"{a.Queries?.ToString(CultureInfo.InvariantCulture) ?? "any number of"} queries, {a.Keys?.ToString(CultureInfo.InvariantCulture) ?? "any number of"} keys";
            writer.WriteLine($"               {numbers}: {a.Form}, {groups}{tokens}, {a.Heads} heads of {a.HeadSize}, position {a.Position}");
        }

        foreach (AttentionGap gap in survey.Misses)
            writer.WriteLine($"               not understood: {SafeText.Of(gap.Softmax)}, {gap.Part}: {SafeText.Of(gap.Reason)}");
    }

    private static void Nodes(InspectReport report, TextWriter writer)
    {
        writer.WriteLine();
        writer.WriteLine($"  {"MACs",10}{"share",9}  {"for",-9}{"parameters",12}{"output",12}{"moved",12}  node");
        foreach (NodeCost node in report.NodeCosts)
        {
            string kind = node.Kind switch
            {
                MacKind.Linear => "linear",
                MacKind.Attention => "attention",
                MacKind.RelativePosition => "position",
                _ => "",
            };
            string share = report.Macs.Total == 0 || node.Kind is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * node.Macs / report.Macs.Total:F1} %");
            string macs = node.Kind is null ? "" : Quantity.Count(node.Macs);
            string runs = node.Runs == 1 ? "" : $", {node.Runs} times";
            writer.WriteLine($"  {macs,10}{share,9}  {kind,-9}{node.Parameters,12:N0}{Quantity.Bytes(node.OutputBytes),12}{Quantity.Bytes(node.MovedBytes),12}  {SafeText.Of(node.Node)}{runs}");
        }
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
