namespace SamCompress.Passes.Pruning.Importance;

/// <summary>The criteria by which channels can be ranked, by their names on the command line.</summary>
public static class ImportanceCriteria
{
    /// <summary>The gradient of the distance between an embedding and its noisy copy: needs pictures, and no labels.</summary>
    public const string DisturbedTaylor = "disturbed-taylor";

    /// <summary>The gradient of the distance between masks and their own hard version: needs pictures and a decoder.</summary>
    public const string Taylor = "taylor";

    /// <summary>The squared gradients of the disturbed loss: with it they are the diagonal of the Gauss-Newton matrix, up to a factor.</summary>
    public const string Hessian = "hessian";

    public const string Magnitude = "magnitude";

    public const string Random = "random";

    public static IReadOnlyList<string> All { get; } = [DisturbedTaylor, Taylor, Hessian, Magnitude, Random];

    /// <summary>Whether the criterion asks for pictures.</summary>
    public static bool NeedsPictures(string criterion) => criterion is DisturbedTaylor or Taylor or Hessian;
}
