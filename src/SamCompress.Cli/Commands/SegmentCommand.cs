using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress segment MODEL PICTURE</c>: a picture in, masks out.</summary>
internal static class SegmentCommand
{
    public static Command Create(CommonOptions common)
    {
        var models = new ModelAndPicture();
        var decoder = new Option<string?>("--decoder") { Description = "The mask decoder. [default: the one beside the model]", HelpName = "FILE" };
        var prompts = new PromptOptions();
        var everything = new EverythingChoice();
        var reference = new Option<string?>("--reference") { Description = "An image encoder to compare with: shows its masks, these, and the difference.", HelpName = "TEACHER" };
        var referenceDecoder = new Option<string?>("--reference-decoder") { Description = "The mask decoder of the reference. [default: the one beside it]", HelpName = "FILE" };
        var output = new Option<string?>("--output", "-o") { Description = "The PNG to write. [default: PICTURE.masks.png]", HelpName = "FILE" };
        var directory = new Option<string?>("--output-dir") { Description = "Write the PNG, each mask as PNG, and masks.json with the masks in COCO's encoding, into this directory.", HelpName = "DIR" };
        Option<string> encoding = CommonOptions.Choice("--rle", "How masks.json holds masks: COCO's compressed text, or counts.", "coco", "coco", "counts");
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace the output when it exists." };
        var force = new Option<bool>("--force") { Hidden = true };
        var execution = new ExecutionOptions(common);
        var command = new Command("segment", "Segment a picture: by points, by boxes, or everything in it.");
        models.AddTo(command);
        command.Options.Add(decoder);
        prompts.AddTo(command);
        everything.AddTo(command, prompts);
        foreach (Option option in new Option[] { reference, referenceDecoder, output, directory, encoding, overwrite, force })
            command.Options.Add(option);
        execution.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.IsGiven(output) && result.IsGiven(directory))
                result.AddError("--output writes one picture and --output-dir a directory: give one of them.");
            if (result.IsGiven(referenceDecoder) && !result.IsGiven(reference))
                result.AddError("--reference-decoder needs --reference.");
        });
        command.SetAction(parse =>
        {
            var options = new SegmentOptions(models.Model(parse), models.Picture(parse))
            {
                Decoder = parse.GetValue(decoder),
                Prompts = prompts.Of(parse),
                Everything = everything.Of(parse),
                Reference = parse.GetValue(reference),
                ReferenceDecoder = parse.GetValue(referenceDecoder),
                Output = parse.GetValue(output),
                OutputDirectory = parse.GetValue(directory),
                CompressedMasks = parse.GetRequiredValue(encoding) == "coco",
                Overwrite = parse.GetValue(overwrite) || parse.GetValue(force),
                Execution = execution.Of(parse),
            };
            using ConsoleProgress progress = common.Progress(parse);
            SegmentReport report = new SegmentJob(options, progress, common.Context.Cancellation).Run();
            progress.Clear();
            common.Write(parse, report, writer => SegmentRenderer.Write(report, writer, parse.GetValue(common.Verbose)));
            return ExitCodes.Done;
        });
        return command;
    }
}
