namespace SamCompress.Cli.Jobs;

/// <summary>What a job tells while it runs. Jobs know no console.</summary>
public interface IJobProgress
{
    /// <summary>Starts a stage; the one before it is done.</summary>
    void Stage(string name);

    /// <summary>How much of the stage is done, in <paramref name="unit"/>.</summary>
    void Advance(int done, int total, string unit);

    /// <summary>Something that the user would want to know now.</summary>
    void Note(string message);
}
