using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;
using SamCompress.IR;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress calibrate MODEL -o FILE</c>: the statistics that <c>quantize --calibration-cache</c> takes.</summary>
internal static class CalibrateCommand
{
    public static Command Create(CommonOptions common)
    {
        var model = new ModelArgument("The image encoder to observe, an ONNX file.");
        var output = new Option<string>("--output", "-o") { Description = "The file of statistics to write.", HelpName = "FILE", Required = true };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace the output when it exists." };
        var pictures = new PictureOptions();
        var precision = new PrecisionOptions();
        var execution = new ExecutionOptions(common);
        var command = new Command("calibrate", "Observe an image encoder on pictures and write the statistics for quantize --calibration-cache.");
        model.AddTo(command);
        command.Options.Add(output);
        command.Options.Add(overwrite);
        pictures.AddTo(command);
        precision.AddTo(command);
        execution.AddTo(command);
        command.SetAction(parse =>
        {
            var options = new CalibrateOptions(model.Of(parse), parse.GetRequiredValue(output))
            {
                Overwrite = parse.GetValue(overwrite),
                Calibration = pictures.Of(parse),
                Quantization = precision.Of(parse),
                Execution = execution.Of(parse),
            };
            using ConsoleProgress progress = common.Progress(parse);
            CalibrateReport report = CalibrateJob.Run(options, progress, common.Context.Cancellation);
            progress.Clear();
            common.Write(parse, report, writer => writer.WriteLine(
                $"{SafeText.Line(report.Output)}: {report.Values} values observed on {report.Pictures} pictures in {Quantity.Seconds(report.Seconds)}"));
            return ExitCodes.Done;
        });
        return command;
    }
}
