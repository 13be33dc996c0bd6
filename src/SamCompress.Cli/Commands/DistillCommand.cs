using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Recipes;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress distill STUDENT --teacher MODEL -o FILE</c>: an approximate encoder learns from the one it was made of.</summary>
internal static class DistillCommand
{
    public static Command Create(CommonOptions common)
    {
        var defaults = new DistillStep();
        var model = new ModelArgument("The image encoder that learns, an ONNX file: rewritten, pruned or otherwise made of the teacher.");
        var teacher = new Option<string>("--teacher") { Description = "The image encoder to learn from.", HelpName = "FILE", Required = true };
        var output = new OutputOptions(required: true, "");
        var objective = CommonOptions.Choice("--objective", "What is learned: the embedding, one layer after the other, or embedding and masks.", "embedding", "embedding", "embedding-l1", "layers", "masks");
        Option<int?> prompts = Numbers.Whole("--prompts", "Masks asked for of each picture, with --objective masks. [default: 8]", 1, 64);
        Option<double?> maskWeight = Numbers.Between("--mask-weight", "What masks weigh, with --objective masks, where the embedding weighs 1. [default: 0.1]", 1e-6, 1e6);
        Option<string> precision = CommonOptions.Choice(
            "--precision", "What quantize will make of the student: it learns with weights and activations rounded so.", "float", ["float", .. Precision.All.Select(p => p.Name)]);
        Option<string> target = PrecisionOptions.TargetOption();
        var trained = CommonOptions.Choice("--train", "Which layers learn: those from the first on that differs from the teacher's, or all.", "changed", "changed", "all");
        Option<int?> updates = Numbers.Whole("--updates", $"Updates of the weights. [default: {defaults.Updates}]", 1, 100_000_000);
        Option<double?> rate = Numbers.Between("--learning-rate", $"The greatest one; it falls along half a cosine. [default: {defaults.LearningRate}]", 1e-9, 1);
        Option<int?> batch = Numbers.Whole("--batch", $"Pictures for one update. [default: {defaults.Batch}]", 1, 4096);
        Option<double?> decay = Numbers.Between("--weight-decay", $"Of AdamW. [default: {defaults.WeightDecay}]", 0, 0.99);
        Option<double?> area = Numbers.Between("--least-area", $"The least share of a picture that is shown; 1 shows all of each. [default: {defaults.LeastArea}]", 0.01, 1);
        var strong = new Option<bool>("--strong-augmentation") { Description = "Also turn pictures by quarters and upside down, and vary their light: for few pictures." };
        Option<int?> seed = Numbers.Whole("--seed", "Decides the order of the pictures and what is shown of each. [default: 0]", 0, int.MaxValue);
        Option<string?> state = CommonOptions.State("the training");
        var pictures = new PictureOptions("Pictures to learn from, of which some are held out", takesAll: true);
        var execution = new ExecutionOptions(common);
        var gates = new GateOptions(decoder: "The mask decoder to judge with. [default: the one beside the teacher]");
        var command = new Command("distill", "Let a rewritten or pruned encoder learn from the original, and judge it by its masks.");
        model.AddTo(command);
        command.Options.Add(teacher);
        output.AddTo(command);
        foreach (Option option in new Option[] { objective, prompts, maskWeight, precision, target, trained, updates, rate, batch, decay, area, strong, seed, state })
            command.Options.Add(option);
        pictures.AddTo(command);
        execution.AddTo(command);
        gates.AddTo(command);
        command.Validators.Add(result =>
        {
            if (Array.Find<Option>([prompts, maskWeight], o => result.IsGiven(o)) is { } given && result.Word(objective) != "masks")
                result.AddError($"{given.Name} needs --objective masks.");
            if (result.IsGiven(target) && result.Word(precision) is null or "float")
                result.AddError("--target needs --precision.");
        });
        command.SetAction(parse =>
        {
            var options = new DistillOptions
            {
                Model = model.Of(parse),
                Teacher = parse.GetRequiredValue(teacher),
                Output = output.Output(parse)!,
                Overwrite = output.Overwrite(parse),
                ExternalData = output.ExternalData(parse),
                Objective = parse.GetRequiredValue(objective) switch { "embedding-l1" => DistillObjective.EmbeddingL1, "layers" => DistillObjective.Layers, "masks" => DistillObjective.Masks, _ => DistillObjective.Embedding },
                Prompts = parse.GetValue(prompts) ?? 8,
                MaskWeight = parse.GetValue(maskWeight) ?? 0.1,
                Quantization = parse.GetRequiredValue(precision) is var chosen and not "float"
                    ? new QuantizationRequest { Precision = Precision.All.First(p => p.Name == chosen), Target = parse.GetRequiredValue(target), Rounding = WeightRounding.Nearest, CorrectBias = false }
                    : null,
                TrainsUnchanged = parse.GetRequiredValue(trained) == "all",
                Step = new DistillStep
                {
                    Updates = parse.GetValue(updates) ?? defaults.Updates,
                    LearningRate = parse.GetValue(rate) ?? defaults.LearningRate,
                    Batch = parse.GetValue(batch) ?? defaults.Batch,
                    WeightDecay = parse.GetValue(decay) ?? defaults.WeightDecay,
                    LeastArea = parse.GetValue(area) ?? defaults.LeastArea,
                    StrongAugmentation = parse.GetValue(strong),
                    Seed = parse.GetValue(seed) ?? defaults.Seed,
                },
                State = parse.GetValue(state),
                Decoder = gates.Decoder(parse),
                Calibration = pictures.Of(parse),
                Execution = execution.Of(parse),
                MinMeanIou = gates.MinMeanIou(parse),
                MaxDrop = gates.MaxDrop(parse),
            };
            using ConsoleProgress progress = common.Progress(parse);
            DistillReport report = new DistillJob(options, progress, common.Context.Cancellation).Run();
            progress.Clear();
            common.Write(parse, report, writer => DistillRenderer.Write(report, writer), () => DistillMarkdown.Render(report));
            return report.GatesMet ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }
}
