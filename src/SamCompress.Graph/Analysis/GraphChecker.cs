namespace SamCompress.IR.Analysis;

/// <summary>How much of a model <see cref="GraphChecker"/> looks at.</summary>
public enum CheckLevel
{
    /// <summary>Names, edges, order and scopes: what an edit of the graph can break.</summary>
    Structure,

    /// <summary>Also versions, operators, attributes, tensors and functions.</summary>
    Full,
}

/// <summary>
/// The rules that ONNX sets for a model. An error is what ONNX's own checker refuses as well, or what no runtime could execute;
/// everything else that looks wrong is a warning. Takes time linear in the size of the model.
/// </summary>
/// <remarks>
/// Identifiers: SC310x model, SC311x graphs and values, SC312x nodes, SC313x attributes, SC314x functions, SC315x tensors, SC316x files;
/// SC410x what is well formed but not known here.
/// </remarks>
public static class GraphChecker
{
    /// <summary>The newest IR version that is known here.</summary>
    public const long NewestIrVersion = 14;

    private const int MaxFunctions = 10_000;

    public static IReadOnlyList<Diagnostic> Check(Model model, CheckLevel level = CheckLevel.Full)
    {
        ArgumentNullException.ThrowIfNull(model);
        var report = new CheckReport();
        if (level == CheckLevel.Full)
        {
            foreach (Diagnostic finding in model.Findings)
                report.Add(finding.Id, finding.Severity, finding.Where, finding.Message);
            CheckVersions(model, report);
        }

        var imports = OpsetTable.Of(model);
        var functions = new FunctionRules(model, report);
        if (level == CheckLevel.Full)
            functions.Check();

        new GraphRules(model, report, level == CheckLevel.Full ? new NodeRules(model, imports, functions, null, report) : null).Check(model.Graph);
        foreach (Function function in model.Functions)
        {
            NodeRules? nodes = level == CheckLevel.Full ? new NodeRules(model, OpsetTable.Of(function), functions, function, report) : null;
            new GraphRules(model, report, nodes, function).Check(function.Body);
        }

        return report.Finish();
    }

    private static void CheckVersions(Model model, CheckReport report)
    {
        if (model.IrVersion < 1)
            report.Error("SC3101", "model", $"ir_version is {model.IrVersion}; it must be 1 or more");
        else if (model.IrVersion > NewestIrVersion)
            report.Error("SC4101", "model", $"ir_version {model.IrVersion} is newer than {NewestIrVersion}, the newest known");
        IReadOnlyList<OpsetImport> imports = model.OpsetImports;
        if (model.IrVersion >= 3 && imports.Count == 0)
            report.Error("SC3102", "model", "opset_import is missing");
        if (model.IrVersion is 1 or 2 && imports.Count > 0)
            report.Error("SC3102", "model", $"opset_import is not allowed in IR version {model.IrVersion}");
        CheckOpsets(imports, "model", report);
        foreach (IGrouping<string, KeyValuePair<string, string>> entries in model.Metadata.GroupBy(m => m.Key).Where(g => g.Count() > 1))
            report.Error("SC3105", "model", $"metadata key '{SafeText.Of(entries.Key)}' is there {entries.Count()} times");
        if (model.Functions.Count > MaxFunctions)
            report.Error("SC3140", "model", $"{model.Functions.Count} functions are over the limit of {MaxFunctions}");
    }

    internal static void CheckOpsets(IReadOnlyList<OpsetImport> imports, string where, CheckReport report)
    {
        foreach (OpsetImport import in imports)
        {
            string name = OpsetTable.DomainName(import.Domain);
            int? newest = OperatorSchemas.NewestOpset(import.Domain);
            if (import.Version > int.MaxValue)
                report.Error("SC3103", where, $"opset {import.Version} of {name} is over {int.MaxValue}");
            else if (import.Version < 1 && newest is not null)
                report.Error("SC3103", where, $"opset {import.Version} of {name} must be 1 or more");
            else if (import.Version < 1)
                report.Warning("SC3103", where, $"opset {import.Version} of {name} should be 1 or more");
            else if (import.Version > newest)
                report.Warning("SC4102", where, $"opset {import.Version} of {name} is newer than {newest}, the newest known");
        }

        foreach (IGrouping<string, OpsetImport> group in imports.GroupBy(i => i.Domain).Where(g => g.Count() > 1))
        {
            string versions = string.Join(", ", group.Select(i => i.Version).Take(10));
            string text = $"{OpsetTable.DomainName(group.Key)} is imported {group.Count()} times: versions {versions}";
            if (group.Distinct().Count() > 1)
                report.Error("SC3104", where, text);
            else
                report.Warning("SC3104", where, text);
        }
    }
}
