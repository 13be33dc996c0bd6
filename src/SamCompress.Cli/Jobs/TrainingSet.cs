using SamCompress.Runtime.Images;

namespace SamCompress.Cli.Jobs;

/// <summary>The pictures of a training: those to learn from, those by which the best weights are chosen, and those that judge the result, which nothing has seen.</summary>
internal sealed record TrainingSet(string Source, ImageSet Learned, ImageSet Validation, ImageSet HeldOut)
{
    private const int MostForValidation = 16;

    /// <summary>One in so many is for validation, until there are enough.</summary>
    private const int ValidationEvery = 10;

    /// <param name="request">Only which pictures, not how many to calibrate with: all of them are learned from but those of the other two sets.</param>
    /// <exception cref="SamCompressException">Usage: none are given and none fit. Input: they are missing or too few.</exception>
    public static TrainingSet Choose(CalibrationRequest request, string modelHash)
    {
        var pictures = CalibrationPictures.Choose(request with { Samples = null }, modelHash, ValidationStage.MostPictures);
        HashSet<string> heldOut = [.. pictures.HeldOut];
        string[] rest = [.. pictures.All.Where(p => !heldOut.Contains(p))];
        int validation = Math.Min(MostForValidation, rest.Length / ValidationEvery);
        if (validation == 0 || heldOut.Count == 0)
            throw new SamCompressException(FailureKind.InputRejected, $"{pictures.Source} holds {pictures.All.Count} pictures, too few to learn from", $"give {2 * ValidationEvery} or more, better some hundreds: --calibration-data DIR.");
        (ImageSet chosen, ImageSet learned) = ImageSet.Of(rest).Split(validation, rest.Length);
        return new TrainingSet(pictures.Source, learned, chosen, ImageSet.Of(pictures.HeldOut));
    }
}
