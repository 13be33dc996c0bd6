namespace SamCompress.Passes.Pruning;

/// <summary>What a group of channels is called: as the module that makes them, where the exporter kept its name.</summary>
internal static class ChannelNames
{
    public static string Of(IReadOnlyList<ChannelMember> members)
    {
        ChannelMember maker = members.FirstOrDefault(m => m is { IsWeight: true, IsOutput: true }) ?? members[0];
        IEnumerable<string> constants = members.SkipWhile(m => m != maker).Take(2).Select(m => m.Initializer);
        if (constants.FirstOrDefault(name => name.EndsWith(".weight", StringComparison.Ordinal) || name.EndsWith(".bias", StringComparison.Ordinal)) is { } module)
            return module[..module.LastIndexOf('.')];
        string node = maker.Reader.Name;
        if (!node.Contains('/', StringComparison.Ordinal))
            return node.Length > 0 ? node : maker.Reader.Output.Name;
        return node.Trim('/')[..Math.Max(0, node.Trim('/').LastIndexOf('/'))] is { Length: > 0 } path ? path.Replace('/', '.') : node;
    }
}
