using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;

namespace SamCompress.Cli.Commands;

/// <summary>The options about what weights and activations become, and for which target.</summary>
internal sealed class PrecisionOptions
{
    private readonly Option<string> _precision;

    private readonly Option<string> _target = TargetOption();

    private readonly Option<string> _rounding = CommonOptions.Choice("--rounding", "How weights become integers; auto is gptq below 8 bits.", "auto", "auto", "nearest", "gptq");
    private readonly Option<bool> _keepRanges = new("--no-equalize") { Description = "Leave channels and heads as uneven as they are." };

    private readonly Option<bool> _plainBias = new("--no-bias-correction") { Description = "Leave biases as they are." };
    private readonly Option<bool> _twins = new("--twin-ranges") { Description = "Give the outputs of Gelu and Softmax two ranges each, at the price of two products." };
    private readonly Option<int?> _stages = Numbers.Whole("--gptq-stages", "Round layers in so many groups, each behind the quantized ones before it. [default: 1]", 1, 1000);
    private readonly Option<int?> _rerank = Numbers.Whole("--rerank", "Choose among the best ranges by the masks, on so many calibration pictures. [default: 0]", 0, 1000);

    /// <summary><c>--target</c>, also of commands that choose no precision.</summary>
    public static Option<string> TargetOption() => new("--target")
    {
        Description = $"What shall run the result: {string.Join(", ", TargetDescription.BuiltIn)}, or a description of your own (.json).",
        HelpName = "NAME",
        DefaultValueFactory = _ => TargetDescription.Default,
    };

    /// <param name="floats">Whether weights may stay floats, of 16 or of 32 bits.</param>
    public PrecisionOptions(bool floats = false)
    {
        IEnumerable<string> names = [.. Precision.All.Select(p => p.Name), "int8", .. FloatNames.Keys.Order(StringComparer.Ordinal).Where(_ => floats)];
        _precision = CommonOptions.Choice(
            "--precision", $"Bits of weights and activations; int8 is w8a8{(floats ? ", fp16 and fp32 are weights in floats" : "")}.", "w8a8", [.. names]);
        _precision.Aliases.Add("-p");
    }

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _precision, _target, _rounding, _stages, _keepRanges, _plainBias, _twins, _rerank })
            command.Options.Add(option);
    }

    private static Dictionary<string, FloatWeights> FloatNames { get; } = new(StringComparer.Ordinal) { ["fp16"] = FloatWeights.Half, ["fp32"] = FloatWeights.Single };

    public QuantizationRequest Of(ParseResult parse) => new()
    {
        Floats = FloatNames.TryGetValue(parse.GetRequiredValue(_precision), out FloatWeights floats) ? floats : null,
        Precision = Precision.All.FirstOrDefault(p => p.Name == parse.GetRequiredValue(_precision)) ?? Precision.W8A8,
        Target = parse.GetRequiredValue(_target),
        Rounding = parse.GetRequiredValue(_rounding) switch { "nearest" => WeightRounding.Nearest, "gptq" => WeightRounding.Gptq, _ => null },
        Equalize = !parse.GetValue(_keepRanges),
        CorrectBias = !parse.GetValue(_plainBias),
        TwinRanges = parse.GetValue(_twins),
        GptqStages = parse.GetValue(_stages) ?? 1,
        RerankPictures = parse.GetValue(_rerank) ?? 0,
    };
}
