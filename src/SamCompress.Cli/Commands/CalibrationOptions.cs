using System.CommandLine;
using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Commands;

/// <summary>The options about pictures and ranges.</summary>
internal sealed class CalibrationOptions
{
    private const int MostSamples = 100_000;

    private readonly Option<string?> _data = new("--calibration-data")
    {
        Description = "Pictures to calibrate with: a folder, a pattern, or a list (.txt). [default: the shipped set, for the sample model only]",
        HelpName = "DIR",
    };

    private readonly Option<int?> _samples = Numbers.Whole("--samples", "Pictures to calibrate with. [default: 32]", 1, MostSamples);
    private readonly Option<bool> _allowFewer = new("--allow-fewer") { Description = "Make do with fewer pictures than --samples." };
    private readonly Option<int?> _skipBad = Numbers.Whole("--skip-bad-images", "Skip up to this many pictures that cannot be read. [default: 0]", 0, MostSamples);
    private readonly Option<string> _method = CommonOptions.Choice("--calibration-method", "How ranges of activations are chosen.", "mse", "minmax", "percentile", "mse", "entropy");
    private readonly Option<double?> _percentile = Numbers.Between("--percentile", "The share that --calibration-method percentile covers. [default: 99.99]", 50.000001, 100);
    private readonly Option<string?> _cache = new("--calibration-cache") { Description = "Statistics to use when the file is there, else to write.", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _data, _samples, _allowFewer, _skipBad, _method, _percentile, _cache })
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_percentile) is not null && result.GetValue(_method) != "percentile")
                result.AddError("--percentile needs --calibration-method percentile.");
        });
    }

    public CalibrationRequest Of(ParseResult parse) => new()
    {
        Data = parse.GetValue(_data),
        Samples = parse.GetValue(_samples),
        AllowFewer = parse.GetValue(_allowFewer),
        SkipBadImages = parse.GetValue(_skipBad) ?? 0,
        Method = parse.GetRequiredValue(_method),
        Percentile = parse.GetValue(_percentile),
        Cache = parse.GetValue(_cache),
    };
}
