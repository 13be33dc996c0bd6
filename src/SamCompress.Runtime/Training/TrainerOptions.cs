using System.Globalization;

namespace SamCompress.Runtime.Training;

/// <summary>How a training goes on. All of it is data, so that a checkpoint can be held to it.</summary>
public sealed record TrainerOptions
{
    /// <summary>The number of pictures of an epoch.</summary>
    public required int PictureCount { get; init; }

    /// <summary>The number of updates in all. A run that was finished may be gone on with by a greater one.</summary>
    public required long Updates { get; init; }

    public required LearningRateSchedule LearningRate { get; init; }

    /// <summary>Decides the order of the pictures.</summary>
    public ulong Seed { get; init; }

    /// <summary>For each term by name its weight in each epoch; the last one holds for all epochs behind. A term that is not here has weight 1.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<float>> TermWeights { get; init; } = new Dictionary<string, IReadOnlyList<float>>();

    /// <summary>In updates; 0 validates only at the end.</summary>
    public long ValidateEvery { get; init; }

    /// <summary>The file to go on from, when it is there, and to keep the state in; null keeps nothing.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>In updates; 0 writes one only at the end and when the run is cancelled.</summary>
    public long CheckpointEvery { get; init; }

    /// <summary>What pictures, targets and validation are made from, as a hash: a checkpoint of other ones is refused.</summary>
    public string DataIdentity { get; init; } = "";

    /// <summary>What decides the result, but for the number of updates.</summary>
    internal string IdentityText => string.Create(
        CultureInfo.InvariantCulture,
        $"{PictureCount};{LearningRate};{Seed};{ValidateEvery};{DataIdentity};{string.Join(';', TermWeights.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key}={string.Join(',', t.Value)}"))}");

    internal Dictionary<string, float> WeightsAt(long epoch) =>
        TermWeights.ToDictionary(t => t.Key, t => t.Value[(int)Math.Min(epoch, t.Value.Count - 1)], StringComparer.Ordinal);
}
