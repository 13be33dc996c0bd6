using System.CommandLine;
using System.CommandLine.Parsing;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Recipes;

namespace SamCompress.Cli.Commands;

/// <summary>The options about which rewrite of attention, and of which blocks.</summary>
internal sealed class RewriteStepOptions
{
    private readonly Option<int?> _dilated = Numbers.Whole("--dilated-attention", "Let a token attend to every N-th row and column only.", 2, 64);
    private readonly Option<int?> _segment = Numbers.Whole("--segment", "Dilate in segments of so many tokens, in one dimension. [default: in two]", 2, 1 << 20);
    private readonly Option<string> _axes = CommonOptions.Choice("--axes", "With --dilated-attention: whether rows, columns or both are left out.", "both", "both", "rows", "columns");
    private readonly Option<int?> _localKernel = Numbers.Whole("--local-kernel", "Of dilated and linear attention: let neighbours mix behind it, by convolutions of N x N that do nothing until trained.", 3, 15);
    private readonly Option<bool> _linear = new("--linear-attention") { Description = "Replace Softmax by ReLU linear attention." };
    private readonly Option<bool> _multiScale = new("--multi-scale") { Description = "With --linear-attention: further heads behind a convolution of 5 x 5, zero until fitted or trained." };
    private readonly Option<bool> _lowRank = new("--low-rank-position") { Description = "Project relative positions on the few directions that matter." };
    private readonly Option<double?> _error = Numbers.Between("--position-error", $"With --low-rank-position: the error of a logit that is allowed. [default: {ReduceRelativePosition.DefaultError}]", 1e-6, 99);
    private readonly Option<int?> _rank = Numbers.Whole("--position-rank", "With --low-rank-position: so many directions, whatever the error is.", 1, 4096);
    private readonly Option<BlockChoice?> _blocks = new("--blocks")
    {
        Description = "Which attentions: numbers from 0 as in 2,5; global for all of all tokens; auto for as many as a gate lets through. [default: global]",
        HelpName = "BLOCKS",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (BlockChoice.Parse(text) is { } choice)
                return choice;
            result.AddError($"'{text}' is no value of --blocks: use numbers such as 2,5, global, or auto.");
            return null;
        },
    };

    private readonly Option<bool> _noRepair = new("--no-repair") { Description = "Leave the layers behind as they are." };

    public void AddTo(Command command, Func<CommandResult, bool> hasGate)
    {
        foreach (Option option in new Option[] { _dilated, _segment, _axes, _localKernel, _linear, _multiScale, _lowRank, _error, _rank, _blocks, _noRepair })
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            bool isDilated = result.IsGiven(_dilated), isLinear = result.IsGiven(_linear), isLowRank = result.IsGiven(_lowRank);
            if ((isDilated ? 1 : 0) + (isLinear ? 1 : 0) + (isLowRank ? 1 : 0) != 1)
                result.AddError("rewrite needs one of --dilated-attention N, --linear-attention and --low-rank-position.");
            else if (!isDilated && result.IsGiven(_segment))
                result.AddError("--segment needs --dilated-attention.");
            else if (!isDilated && result.IsGiven(_axes))
                result.AddError("--axes needs --dilated-attention.");
            else if (result.IsGiven(_segment) && result.IsGiven(_axes))
                result.AddError("--segment and --axes exclude each other.");
            else if (isLowRank && result.IsGiven(_localKernel))
                result.AddError("--local-kernel needs --dilated-attention or --linear-attention.");
            else if (int.TryParse(result.Word(_localKernel), out int side) && side % 2 == 0)
                result.AddError($"'{side}' is no value of --local-kernel: use an odd number, so that the kernel has a middle.");
            else if (!isLinear && result.IsGiven(_multiScale))
                result.AddError("--multi-scale needs --linear-attention.");
            else if (!isLowRank && (result.IsGiven(_error) || result.IsGiven(_rank)))
                result.AddError("--position-error and --position-rank need --low-rank-position.");
            else if (result.IsGiven(_error) && result.IsGiven(_rank))
                result.AddError("--position-error and --position-rank exclude each other.");
            else if (result.Word(_blocks) == "auto" && !hasGate(result))
                result.AddError("--blocks auto needs --min-miou or --max-drop.");
        });
    }

    public RewriteStep Of(ParseResult parse) => new()
    {
        Kind = parse.GetValue(_dilated) is not null ? RewriteKind.DilatedAttention : parse.GetValue(_linear) ? RewriteKind.LinearAttention : RewriteKind.LowRankPosition,
        Interval = parse.GetValue(_dilated),
        Segment = parse.GetValue(_segment),
        Axes = parse.GetRequiredValue(_axes) switch { "rows" => DilatedAxes.Rows, "columns" => DilatedAxes.Columns, _ => DilatedAxes.Both },
        LocalKernel = parse.GetValue(_localKernel),
        MultiScale = parse.GetValue(_multiScale),
        Error = parse.GetValue(_error),
        Rank = parse.GetValue(_rank),
        Blocks = parse.GetValue(_blocks) ?? BlockChoice.Global,
        Repair = !parse.GetValue(_noRepair),
    };
}
