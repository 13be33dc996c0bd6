using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;

namespace SamCompress.Cli.Commands;

/// <summary>The options about what weights and activations become, and for which target.</summary>
internal sealed class PrecisionOptions
{
    private readonly Option<string> _precision = CommonOptions.Choice(
        "--precision", "Bits of weights and activations; int8 is w8a8.", "w8a8", [.. Precision.All.Select(p => p.Name), "int8"]);

    private readonly Option<string> _target = new("--target")
    {
        Description = $"What shall run the result: {string.Join(", ", TargetDescription.BuiltIn)}, or a description of your own (.json).",
        HelpName = "NAME",
        DefaultValueFactory = _ => TargetDescription.Default,
    };

    private readonly Option<string> _rounding = CommonOptions.Choice("--rounding", "How weights become integers; auto is gptq below 8 bits.", "auto", "auto", "nearest", "gptq");
    private readonly Option<bool> _keepRanges = new("--no-equalize") { Description = "Leave channels and heads as uneven as they are." };

    public PrecisionOptions() => _precision.Aliases.Add("-p");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _precision, _target, _rounding, _keepRanges })
            command.Options.Add(option);
    }

    public QuantizationRequest Of(ParseResult parse) => new()
    {
        Precision = Precision.All.FirstOrDefault(p => p.Name == parse.GetRequiredValue(_precision)) ?? Precision.W8A8,
        Target = parse.GetRequiredValue(_target),
        Rounding = parse.GetRequiredValue(_rounding) switch { "nearest" => WeightRounding.Nearest, "gptq" => WeightRounding.Gptq, _ => null },
        Equalize = !parse.GetValue(_keepRanges),
    };
}
