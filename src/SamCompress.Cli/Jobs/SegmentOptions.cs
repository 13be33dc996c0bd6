using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Segmentation;

namespace SamCompress.Cli.Jobs;

/// <param name="Model">The image encoder.</param>
public sealed record SegmentOptions(string Model, string Picture)
{
    /// <summary>Null to look beside the model.</summary>
    public string? Decoder { get; init; }

    /// <summary>In the pixels of the picture, each for one mask; none to segment everything.</summary>
    public IReadOnlyList<Prompt> Prompts { get; init; } = [];

    public EverythingOptions Everything { get; init; } = new();

    /// <summary>The encoder to compare with, or null.</summary>
    public string? Reference { get; init; }

    /// <summary>Null to look beside the reference.</summary>
    public string? ReferenceDecoder { get; init; }

    /// <summary>The picture to write; null for the name of the picture with ".masks.png".</summary>
    public string? Output { get; init; }

    /// <summary>Where to write everything there is; null for the picture alone.</summary>
    public string? OutputDirectory { get; init; }

    /// <summary>COCO's compressed text in place of counts.</summary>
    public bool CompressedMasks { get; init; } = true;

    public bool Overwrite { get; init; }

    public ExecutionRequest Execution { get; init; } = new();
}
