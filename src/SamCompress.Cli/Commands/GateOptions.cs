using System.CommandLine;
using System.CommandLine.Parsing;

namespace SamCompress.Cli.Commands;

/// <summary>The options by which masks judge a result: the decoder that makes them, and how near they must be to the original's.</summary>
/// <param name="minMiou">What <c>--min-miou</c> does.</param>
/// <param name="decoder">What <c>--decoder</c> names.</param>
internal sealed class GateOptions(string minMiou = "Exit with 1 when the mean mask IoU is lower.", string decoder = GateOptions.JudgingDecoder)
{
    private const string JudgingDecoder = "The mask decoder to judge with. [default: the one beside the model]";

    private readonly Option<string?> _decoder = DecoderOption(decoder);
    private readonly Option<double?> _minMiou = Numbers.Between("--min-miou", minMiou, 0, 1);
    private readonly Option<double?> _maxDrop = Numbers.Between("--max-drop", "The same, as how much below 1 the mean mask IoU may be.", 0, 1);

    /// <summary><c>--decoder</c>, also of commands whose gates are elsewhere.</summary>
    public static Option<string?> DecoderOption(string description = JudgingDecoder) => new("--decoder") { Description = description, HelpName = "FILE" };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _decoder, _minMiou, _maxDrop })
            command.Options.Add(option);
    }

    /// <summary>Whether a gate is asked for.</summary>
    public bool AreGiven(CommandResult result) => result.IsGiven(_minMiou) || result.IsGiven(_maxDrop);

    public string? Decoder(ParseResult parse) => parse.GetValue(_decoder);

    public double? MinMeanIou(ParseResult parse) => parse.GetValue(_minMiou);

    public double? MaxDrop(ParseResult parse) => parse.GetValue(_maxDrop);
}
