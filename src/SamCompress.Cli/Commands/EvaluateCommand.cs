using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress evaluate STUDENT --reference TEACHER</c>: how near a compressed encoder comes to the original.</summary>
internal static class EvaluateCommand
{
    public static Command Create(CommonOptions common)
    {
        var student = new ModelArgument("The compressed image encoder, an ONNX file.", "STUDENT");
        var reference = new Option<string>("--reference") { Description = "The original image encoder.", HelpName = "TEACHER", Required = true };
        var gates = new GateOptions(decoder: "The mask decoder of the original, and of the student without its own. [default: beside the original]");
        var studentDecoder = new Option<string?>("--student-decoder") { Description = "The mask decoder of the student, when it has its own.", HelpName = "FILE" };
        var data = new Option<string?>("--data", "--calibration-data")
        {
            Description = "Pictures to compare on: a folder, a pattern, or a list (.txt). [default: held-out ones of the shipped set, for the sample model only]",
            HelpName = "DIR",
        };
        Option<int?> samples = Numbers.Whole("--samples", "Pictures to compare on. [default: all]", 1, 100_000);
        Option<int?> skipBad = Numbers.Whole("--skip-bad-images", "Skip up to this many pictures that cannot be read. [default: 0]", 0, 100_000);
        var execution = new ExecutionOptions(common);
        var command = new Command("evaluate", "Compare a compressed image encoder with the original: masks, embeddings, size, speed.");
        student.AddTo(command);
        foreach (Option option in new Option[] { reference, studentDecoder, data, samples, skipBad })
            command.Options.Add(option);
        gates.AddTo(command);
        execution.AddTo(command);
        command.SetAction(parse =>
        {
            var options = new EvaluateOptions(student.Of(parse), parse.GetRequiredValue(reference))
            {
                Decoder = gates.Decoder(parse),
                StudentDecoder = parse.GetValue(studentDecoder),
                Data = parse.GetValue(data),
                Samples = parse.GetValue(samples),
                SkipBadImages = parse.GetValue(skipBad) ?? 0,
                MinMeanIou = gates.MinMeanIou(parse),
                MaxDrop = gates.MaxDrop(parse),
                Execution = execution.Of(parse),
            };
            using ConsoleProgress progress = common.Progress(parse);
            EvaluateReport report = EvaluateJob.Run(options, progress, common.Context.Cancellation);
            progress.Clear();
            common.Write(parse, report, writer => EvaluateRenderer.Write(report, writer));
            return report.GatesMet ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }
}
