using System.CommandLine;
using SamCompress.IR;

namespace SamCompress.Cli.Commands;

/// <summary>The options about what is accepted as a model; every command has them.</summary>
public sealed class ReadingOptions
{
    private readonly Option<int?> _nodes = Numbers.Whole("--max-nodes", $"Refuse a model of more nodes. [default: {ReadLimits.Default.MaxNodes}]", 1, int.MaxValue);
    private readonly Option<int?> _tensors = Numbers.Whole("--max-tensors", $"Refuse a model of more initializers. [default: {ReadLimits.Default.MaxTensors}]", 1, int.MaxValue);
    private readonly Option<long?> _graphBytes = Numbers.Bytes("--max-graph-size", "Refuse a model that is larger without its weights. [default: 512MiB]");
    private readonly Option<bool> _strict = new("--strict") { Description = "Refuse a model whose data file looks suspicious: a hard link, unknown entries." };

    public void AddTo(RootCommand root)
    {
        foreach (Option option in new Option[] { _nodes, _tensors, _graphBytes, _strict })
        {
            option.Recursive = true;
            root.Options.Add(option);
        }
    }

    public ReadOptions Of(ParseResult parse) => new()
    {
        Strict = parse.GetValue(_strict),
        Limits = new ReadLimits
        {
            MaxNodes = parse.GetValue(_nodes) ?? ReadLimits.Default.MaxNodes,
            MaxTensors = parse.GetValue(_tensors) ?? ReadLimits.Default.MaxTensors,
            MaxGraphBytes = Math.Min(parse.GetValue(_graphBytes) ?? ReadLimits.Default.MaxGraphBytes, ReadLimits.MostGraphBytes),
        },
    };
}
