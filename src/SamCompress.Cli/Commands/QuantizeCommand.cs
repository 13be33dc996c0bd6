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
        var delivery = new DeliveryOptions(bundles: true);
        var calibration = new CalibrationOptions();
        var selection = new SelectionOptions();
        var execution = new ExecutionOptions(common);
        var precision = new PrecisionOptions(floats: true);
        Option<string> decoderPrecision = CommonOptions.Choice("--decoder-precision", "Whether the mask decoder is quantized too.", "float", ["float", .. Precision.All.Select(p => p.Name)]);
        var encoder = new Option<string?>("--encoder") { Description = "Quantize a mask decoder, fed by this encoder.", HelpName = "FILE" };
        var gates = new GateOptions("Leave layers float until the mean mask IoU is this; exit with 1 when it is lower.", "The mask decoder to validate with. [default: the one beside the model]");
        var requantize = new Option<bool>("--allow-requantize") { Description = "Accept a model that is quantized already." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be done to each layer, and write nothing." };

        var command = new Command("quantize", "Quantize an image encoder to int8, prove it by its masks, and write it with a report.");
        model.AddTo(command);
        precision.AddTo(command);
        output.AddTo(command);
        delivery.AddTo(command);
        command.Options.Add(decoderPrecision);
        command.Options.Add(encoder);
        calibration.AddTo(command);
        selection.AddTo(command);
        execution.AddTo(command);
        gates.AddTo(command);
        command.Options.Add(requantize);
        command.Options.Add(dryRun);
        command.SetAction(parse =>
        {
            var options = new QuantizeOptions
            {
                Model = model.Of(parse),
                Output = delivery.Output(parse, output.Output(parse)),
                Bundle = delivery.IsBundle(parse),
                Overwrite = output.Overwrite(parse),
                ExternalData = output.ExternalData(parse),
                Preprocessing = delivery.Preprocessing(parse),
                Decoder = gates.Decoder(parse),
                DecoderPrecision = parse.GetRequiredValue(decoderPrecision) is var chosen and not "float" ? chosen : null,
                Encoder = parse.GetValue(encoder),
                Quantization = precision.Of(parse),
                Calibration = calibration.Of(parse),
                Selection = selection.Of(parse),
                Execution = execution.Of(parse),
                MinMeanIou = gates.MinMeanIou(parse),
                MaxDrop = gates.MaxDrop(parse),
                AllowRequantize = parse.GetValue(requantize),
                DryRun = parse.GetValue(dryRun),
            };
            using ConsoleProgress progress = common.Progress(parse);
            CompressionReport report = new QuantizeJob(options, progress, common.Context.Cancellation).Run();
            progress.Clear();
            common.Write(parse, report, writer => QuantizeRenderer.Write(report, writer), () => ReportMarkdown.Render(report));
            return common.ExitCode(parse, report.GatesMet, report.Diagnostics);
        });
        return command;
    }
}
