namespace SamCompress.IR.Analysis;

/// <summary>The opset versions that a model or function imports, for quick look-ups.</summary>
internal sealed class OpsetTable
{
    private readonly Dictionary<string, long> _versions = new(StringComparer.Ordinal);

    private OpsetTable(IEnumerable<OpsetImport> imports)
    {
        foreach (OpsetImport import in imports)
            _versions[import.Domain] = import.Version;
    }

    public static OpsetTable Of(Model model) =>
        new(model.IrVersion < 3 && model.OpsetImports.Count == 0 ? [new OpsetImport(OperatorDomain.Onnx, 1)] : model.OpsetImports);

    public static OpsetTable Of(Function function) => new(function.OpsetImports);

    /// <summary>The imported version, or null.</summary>
    public long? Version(string domain) => _versions.TryGetValue(domain, out long version) ? version : null;

    /// <summary>A domain as messages call it.</summary>
    public static string DomainName(string domain) => domain.Length == 0 ? "ai.onnx" : SafeText.Of(domain);
}
