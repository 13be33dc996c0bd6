namespace SamCompress.Cli.Jobs;

/// <summary>Judges the artifact against the model that it was made from.</summary>
internal sealed class ValidationStage(StageClock clock)
{
    /// <summary>Pictures to hold out for validation.</summary>
    public const int MostPictures = 8;

    public (ReportedQuality? Quality, ReportedSpeed? Speed) Run()
    {
        clock.Start("validate");
        return (null, null);
    }
}
