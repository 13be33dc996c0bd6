using System.CommandLine;
using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Commands;

/// <summary>The options about pictures and ranges.</summary>
internal sealed class CalibrationOptions
{
    private readonly PictureOptions _pictures = new();
    private readonly Option<string> _method = MethodOption();
    private readonly Option<double?> _percentile = Numbers.Between("--percentile", "The share that --calibration-method percentile covers. [default: 99.99]", 50.000001, 100);
    private readonly Option<string?> _cache = new("--calibration-cache") { Description = "Statistics to use when the file is there, else to write.", HelpName = "FILE" };

    public static Option<string> MethodOption() =>
        CommonOptions.Choice("--calibration-method", "By what scales are chosen.", "mse", "minmax", "percentile", "mse", "cosine", "kl", "hessian", "entropy");

    public void AddTo(Command command)
    {
        _pictures.AddTo(command);
        foreach (Option option in new Option[] { _method, _percentile, _cache })
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.IsGiven(_percentile) && result.Word(_method) != "percentile")
                result.AddError("--percentile needs --calibration-method percentile.");
        });
    }

    public CalibrationRequest Of(ParseResult parse) => _pictures.Of(parse) with
    {
        Method = parse.GetRequiredValue(_method),
        Percentile = parse.GetValue(_percentile),
        Cache = parse.GetValue(_cache),
    };
}
