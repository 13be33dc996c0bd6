using System.CommandLine;
using SamCompress.Runtime.Segmentation;

namespace SamCompress.Cli.Commands;

/// <summary>How everything in a picture is segmented.</summary>
internal sealed class EverythingChoice
{
    private const string Hierarchical = "hierarchical";
    private static readonly EverythingOptions Defaults = new();

    private readonly Option<string?> _everything = new("--everything")
    {
        Description = "Segment everything, which is the default without a prompt: in two rounds (TinySAM), or with the whole grid of points (SAM). [default: hierarchical]",
        HelpName = "hierarchical|grid",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<int?> _points = Numbers.Whole("--points-per-side", "Points on a side of the grid. [default: 32]", 1, 512);
    private readonly Option<int?> _batch = Numbers.Whole("--points-per-batch", "Points in one run of the decoder. [default: 64]", 1, 4096);
    private readonly Option<double?> _iou = Numbers.Between("--min-predicted-iou", "Keep masks whose predicted IoU is greater. [default: 0.88]", 0, 1);
    private readonly Option<double?> _stability = Numbers.Between("--min-stability", "Keep masks whose stability score is this or more. [default: 0.95]", 0, 1);
    private readonly Option<double?> _offset = Numbers.Between("--stability-offset", "The logits around 0 that the stability score compares. [default: 1]", 0, 1000);
    private readonly Option<double?> _nms = Numbers.Between("--box-nms", "Drop masks whose box has a greater IoU with that of a better mask. [default: 0.7]", 0, 1);
    private readonly Option<double?> _confident = Numbers.Between("--confident-logit", "Pixels with a greater logit need no point of the second round. [default: 8.5]", -1000, 1000);
    private readonly Option<int?> _layers = Numbers.Whole("--crop-layers", "Layers of crops that are segmented too, for --everything grid. [default: 0]", 0, 4);
    private readonly Option<double?> _cropNms = Numbers.Between("--crop-nms", "The same as --box-nms between crops. [default: 0.7]", 0, 1);
    private readonly Option<double?> _overlap = Numbers.Between("--crop-overlap", "How far crops overlap, of the short side. [default: 0.3413]", 0, 1);
    private readonly Option<double?> _downscale = Numbers.Between("--crop-downscale", "By how much each layer of crops has fewer points on a side. [default: 1]", 1, 64);
    private readonly Option<int?> _area = Numbers.Whole("--min-region-area", "Take holes and islands of fewer pixels out of the masks. [default: 0]", 0, int.MaxValue);

    private Option[] All => [_everything, _points, _batch, _iou, _stability, _offset, _nms, _confident, _layers, _cropNms, _overlap, _downscale, _area];

    /// <param name="prompts">With which everything cannot be asked for.</param>
    public void AddTo(Command command, PromptOptions prompts)
    {
        foreach (Option option in All)
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            Option? given = Array.Find(All, o => o != _offset && result.IsGiven(o));
            if (given is not null && prompts.IsGiven(result))
                result.AddError($"{given.Name} is for segmenting everything: leave out --point and --box.");
            string? mode = result.Word(_everything);
            if (mode is not (null or Hierarchical or "grid"))
                result.AddError($"'{mode}' is no value of --everything: use one of {Hierarchical}, grid.");
            if (mode != "grid" && result.Word(_layers) is not (null or "0"))
                result.AddError("--crop-layers is for --everything grid: two rounds see the whole picture.");
        });
    }

    public EverythingOptions Of(ParseResult parse) => new()
    {
        IsHierarchical = parse.GetValue(_everything) is null or Hierarchical,
        PointsPerSide = parse.GetValue(_points) ?? Defaults.PointsPerSide,
        PointsPerBatch = parse.GetValue(_batch) ?? Defaults.PointsPerBatch,
        MinPredictedIou = parse.GetValue(_iou) ?? Defaults.MinPredictedIou,
        MinStability = parse.GetValue(_stability) ?? Defaults.MinStability,
        StabilityOffset = parse.GetValue(_offset) ?? Defaults.StabilityOffset,
        BoxNmsIou = parse.GetValue(_nms) ?? Defaults.BoxNmsIou,
        ConfidentLogit = parse.GetValue(_confident) ?? Defaults.ConfidentLogit,
        CropLayers = parse.GetValue(_layers) ?? Defaults.CropLayers,
        CropNmsIou = parse.GetValue(_cropNms) ?? Defaults.CropNmsIou,
        CropOverlap = parse.GetValue(_overlap) ?? Defaults.CropOverlap,
        CropDownscale = parse.GetValue(_downscale) ?? Defaults.CropDownscale,
        MinRegionArea = parse.GetValue(_area) ?? Defaults.MinRegionArea,
    };
}
