using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Passes.Quantization;

namespace SamCompress.Cli.Commands;

/// <summary>The options about which layers are quantized.</summary>
internal sealed class SelectionOptions
{
    private readonly Option<string[]> _nodes = List("--nodes-to-quantize", "Quantize these layers only. Repeat for more; * and ? or re:REGEX match several.", "NAME");
    private readonly Option<string[]> _excludedNodes = List("--nodes-to-exclude", "Leave these layers as they are.", "NAME");
    private readonly Option<string?> _excludeFrom = new("--exclude-from") { Description = "Leave the layers as they are that this file lists, one on a line; 'sensitivity -o' writes such a file.", HelpName = "FILE" };
    private readonly Option<string[]> _opTypes = List("--op-types-to-quantize", "Quantize layers of these operators only.", "TYPE");
    private readonly Option<string[]> _excludedOpTypes = List("--op-types-to-exclude", "Leave layers of these operators as they are.", "TYPE");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _nodes, _excludedNodes, _excludeFrom, _opTypes, _excludedOpTypes })
            command.Options.Add(option);
    }

    public NodeSelection Of(ParseResult parse) => new()
    {
        NodesToQuantize = parse.GetValue(_nodes) ?? [],
        NodesToExclude = [.. parse.GetValue(_excludedNodes) ?? [], .. parse.GetValue(_excludeFrom) is { } file ? LayerList.Read(file) : []],
        OpTypesToQuantize = parse.GetValue(_opTypes) ?? [],
        OpTypesToExclude = parse.GetValue(_excludedOpTypes) ?? [],
    };

    private static Option<string[]> List(string name, string description, string helpName) =>
        new(name) { Description = description, HelpName = helpName, AllowMultipleArgumentsPerToken = false };
}
