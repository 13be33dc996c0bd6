using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;
using SamCompress.Passes.Quantization;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress quantize MODEL</c>: a validated int8 model out of a float one.</summary>
internal static class QuantizeCommand
{
    public static Command Create(CommonOptions common)
    {
        var model = new ModelArgument("The image encoder to quantize, or with --encoder a mask decoder; an ONNX file.");
        var output = new OutputOptions(required: false, "MODEL.PRECISION.onnx beside the model");
        var calibration = new CalibrationOptions();
        var selection = new SelectionOptions();
        var execution = new ExecutionOptions();
        var precision = new PrecisionOptions();
        var decoder = new Option<string?>("--decoder") { Description = "The mask decoder to validate with. [default: the one beside the model]", HelpName = "FILE" };
        Option<string> decoderPrecision = CommonOptions.Choice("--decoder-precision", "Whether the mask decoder is quantized too.", "float", ["float", .. Precision.All.Select(p => p.Name)]);
        var encoder = new Option<string?>("--encoder") { Description = "Quantize a mask decoder, fed by this encoder.", HelpName = "FILE" };
        Option<double?> minMiou = Numbers.Between("--min-miou", "Leave layers float until the mean mask IoU is this; exit with 1 when it is lower.", 0, 1);
        Option<double?> maxDrop = Numbers.Between("--max-drop", "The same, as how much below 1 the mean mask IoU may be.", 0, 1);
        var requantize = new Option<bool>("--allow-requantize") { Description = "Accept a model that is quantized already." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be done to each layer, and write nothing." };

        var command = new Command("quantize", "Quantize an image encoder to int8, prove it by its masks, and write it with a report.");
        model.AddTo(command);
        precision.AddTo(command);
        output.AddTo(command);
        command.Options.Add(decoder);
        command.Options.Add(decoderPrecision);
        command.Options.Add(encoder);
        calibration.AddTo(command);
        selection.AddTo(command);
        execution.AddTo(command);
        foreach (Option option in new Option[] { minMiou, maxDrop, requantize, dryRun })
            command.Options.Add(option);
        command.SetAction(parse =>
        {
            var options = new QuantizeOptions
            {
                Model = model.Of(parse),
                Output = output.Output(parse),
                Overwrite = output.Overwrite(parse),
                ExternalData = output.ExternalData(parse),
                Decoder = parse.GetValue(decoder),
                DecoderPrecision = parse.GetRequiredValue(decoderPrecision) is var chosen and not "float" ? chosen : null,
                Encoder = parse.GetValue(encoder),
                Quantization = precision.Of(parse),
                Calibration = calibration.Of(parse),
                Selection = selection.Of(parse),
                Execution = execution.Of(parse),
                MinMeanIou = parse.GetValue(minMiou),
                MaxDrop = parse.GetValue(maxDrop),
                AllowRequantize = parse.GetValue(requantize),
                DryRun = parse.GetValue(dryRun),
            };
            using ConsoleProgress progress = common.Progress(parse);
            CompressionReport report = new QuantizeJob(options, progress, common.Context.Cancellation).Run();
            progress.Clear();
            common.Write(parse, report, writer => QuantizeRenderer.Write(report, writer), () => ReportMarkdown.Render(report));
            return report.GatesMet ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }
}
