using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress sensitivity MODEL</c>: which layers lose most when they are quantized.</summary>
internal static class SensitivityCommand
{
    public static Command Create(CommonOptions common)
    {
        var model = new ModelArgument("The image encoder to measure, or with --encoder a mask decoder; an ONNX file.");
        var output = new Option<string?>("--output", "-o") { Description = "The list of the most sensitive layers to write, for quantize --exclude-from.", HelpName = "FILE" };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace the output when it exists." };
        Option<int?> worst = Numbers.Whole("--worst", "Layers in the list. [default: 3]", 1, 100_000);
        Option<string?> decoder = GateOptions.DecoderOption("The mask decoder to measure with. [default: the one beside the model]");
        var encoder = new Option<string?>("--encoder") { Description = "Measure a mask decoder, fed by this encoder.", HelpName = "FILE" };
        var data = new Option<string?>("--calibration-data")
        {
            Description = "Pictures to calibrate with: a folder, a pattern, or a list (.txt). [default: the shipped set, for the sample model only]",
            HelpName = "DIR",
        };
        Option<int?> samples = Numbers.Whole("--samples", $"Pictures of these to measure masks on. [default: {SensitivityOptions.DefaultSamples}]", 1, 100_000);
        Option<int?> skipBad = Numbers.Whole("--skip-bad-images", "Skip up to this many pictures that cannot be read. [default: 0]", 0, 100_000);
        Option<string> method = CalibrationOptions.MethodOption();
        var precision = new PrecisionOptions();
        var cache = new Option<string?>("--calibration-cache") { Description = "Statistics to use when the file is there, else to write.", HelpName = "FILE" };
        Option<string?> state = CommonOptions.State("what was measured");
        var selection = new SelectionOptions();
        var execution = new ExecutionOptions(common);
        var command = new Command("sensitivity", "Measure on masks what each layer loses when it alone is quantized.");
        model.AddTo(command);
        foreach (Option option in new Option[] { output, overwrite, worst, decoder, encoder, data, samples, skipBad, method, cache, state })
            command.Options.Add(option);
        precision.AddTo(command);
        selection.AddTo(command);
        execution.AddTo(command);
        command.SetAction(parse =>
        {
            var options = new SensitivityOptions(model.Of(parse))
            {
                Decoder = parse.GetValue(decoder),
                Encoder = parse.GetValue(encoder),
                Samples = parse.GetValue(samples),
                Calibration = new CalibrationRequest
                {
                    Data = parse.GetValue(data),
                    SkipBadImages = parse.GetValue(skipBad) ?? 0,
                    Method = parse.GetRequiredValue(method),
                    Cache = parse.GetValue(cache),
                },
                Quantization = precision.Of(parse),
                Selection = selection.Of(parse),
                Execution = execution.Of(parse),
                Output = parse.GetValue(output),
                Overwrite = parse.GetValue(overwrite),
                Worst = parse.GetValue(worst) ?? 3,
                State = parse.GetValue(state),
            };
            using ConsoleProgress progress = common.Progress(parse);
            SensitivityReport report = SensitivityJob.Run(options, progress, common.Context.Cancellation);
            progress.Clear();
            common.Write(parse, report, writer => SensitivityRenderer.Write(report, writer));
            return report.Layers.Count > 0 ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }
}
