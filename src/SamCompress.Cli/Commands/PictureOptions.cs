using System.CommandLine;
using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Commands;

/// <summary>The options about which pictures to calibrate with.</summary>
/// <param name="purpose">What the pictures are for, at the beginning of a sentence.</param>
/// <param name="takesAll">Whether all of them are used, so that there is no number to choose.</param>
internal sealed class PictureOptions(string purpose = "Pictures to calibrate with", bool takesAll = false)
{
    private const int MostSamples = 100_000;

    private readonly Option<string?> _data = new("--calibration-data")
    {
        Description = $"{purpose}: a folder, a pattern, or a list (.txt). [default: the shipped set, for the sample model only]",
        HelpName = "DIR",
    };

    private readonly Option<int?> _samples = Numbers.Whole("--samples", $"{purpose}. [default: 32]", 1, MostSamples);
    private readonly Option<bool> _allowFewer = new("--allow-fewer") { Description = "Make do with fewer pictures than --samples." };
    private readonly Option<int?> _skipBad = Numbers.Whole("--skip-bad-images", "Skip up to this many pictures that cannot be read. [default: 0]", 0, MostSamples);

    public void AddTo(Command command)
    {
        foreach (Option option in takesAll ? new Option[] { _data } : [_data, _samples, _allowFewer, _skipBad])
            command.Options.Add(option);
    }

    public CalibrationRequest Of(ParseResult parse) => takesAll ? new CalibrationRequest { Data = parse.GetValue(_data) } : new CalibrationRequest
    {
        Data = parse.GetValue(_data),
        Samples = parse.GetValue(_samples),
        AllowFewer = parse.GetValue(_allowFewer),
        SkipBadImages = parse.GetValue(_skipBad) ?? 0,
    };
}
