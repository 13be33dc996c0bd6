using System.CommandLine;
using System.Globalization;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Pruning.Importance;

namespace SamCompress.Cli.Commands;

/// <summary>The options about which channels go, and how many.</summary>
internal sealed class PruningChoice
{
    private const double MostRatio = 0.95;

    private readonly Option<double?> _ratio = Numbers.Between("--ratio", "The share of the channels between layers that goes: of heads, MLPs and convolutions.", 0, MostRatio);
    private readonly Option<double?> _embedding = Numbers.Between("--embedding-ratio", "The share of the residual streams that goes, which only training makes good. [default: 0]", 0, MostRatio);
    private readonly Option<double?> _attention = Numbers.Between("--attention-ratio", "The share of the channels of each head. [default: as --ratio]", 0, MostRatio);
    private readonly Option<double?> _mlp = Numbers.Between("--mlp-ratio", "The share of the hidden channels of MLPs. [default: as --ratio]", 0, MostRatio);
    private readonly Option<double?> _conv = Numbers.Between("--conv-ratio", "The share of the channels between convolutions. [default: as --ratio]", 0, MostRatio);
    private readonly Option<string> _importance = CommonOptions.Choice("--importance", "What channels are ranked by; all but magnitude and random take pictures, taylor a decoder too.", ImportanceCriteria.Magnitude, [.. ImportanceCriteria.All]);
    private readonly Option<string> _ranking = CommonOptions.Choice("--ranking", "Whether every layer loses the same share, or the least important channels of all go.", "local", "local", "global");
    private readonly Option<string> _normalization = CommonOptions.Choice(
        "--normalization", "What makes scores of layers comparable.", "gaussian", "none", "mean", "max", "sum", "gaussian", "standardization");

    private readonly Option<int?> _roundTo = Numbers.Whole("--round-to", "Round the width of a layer down to a multiple. [default: 1]", 1, 4096);
    private readonly Option<int?> _seed = Numbers.Whole("--seed", "Of --importance random, and of the noise and the prompts of others. [default: 0]", 0, int.MaxValue);

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _ratio, _embedding, _attention, _mlp, _conv, _importance, _ranking, _normalization, _roundTo, _seed })
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            // By the text: a value that is no number has its own error.
            if (!new[] { _ratio, _embedding, _attention, _mlp, _conv }.Any(o => result.GetResult(o)?.Tokens is [{ Value: var text }] && !(double.TryParse(text, CultureInfo.InvariantCulture, out double ratio) && ratio == 0)))
                result.AddError("prune needs a ratio above 0: --ratio, --embedding-ratio, --attention-ratio, --mlp-ratio or --conv-ratio.");
            else if (result.IsGiven(_seed) && result.Word(_importance) is null or ImportanceCriteria.Magnitude)
                result.AddError("--seed is of no use with --importance magnitude.");
        });
    }

    public PruningOptions Of(ParseResult parse)
    {
        double ratio = parse.GetValue(_ratio) ?? 0;
        return new PruningOptions
        {
            EmbeddingRatio = parse.GetValue(_embedding) ?? 0,
            AttentionRatio = parse.GetValue(_attention) ?? ratio,
            MlpRatio = parse.GetValue(_mlp) ?? ratio,
            ConvRatio = parse.GetValue(_conv) ?? ratio,
            Ranking = Enum.Parse<PruningRanking>(parse.GetRequiredValue(_ranking), ignoreCase: true),
            Normalization = Enum.Parse<ScoreNormalization>(parse.GetRequiredValue(_normalization), ignoreCase: true),
            RoundTo = parse.GetValue(_roundTo) ?? 1,
        };
    }

    public string Importance(ParseResult parse) => parse.GetRequiredValue(_importance);

    public int Seed(ParseResult parse) => parse.GetValue(_seed) ?? 0;
}
