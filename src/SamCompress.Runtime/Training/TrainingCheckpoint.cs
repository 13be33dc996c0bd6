using System.Globalization;
using System.Text.Json;
using SamCompress.IR;

namespace SamCompress.Runtime.Training;

/// <summary>Everything that a run of training needs to go on as if it had not been interrupted. No clock is in it: equal runs write equal bytes.</summary>
/// <remarks>The file is an ONNX model without nodes: the tensors are its initializers, the rest is its metadata.</remarks>
public sealed record TrainingCheckpoint
{
    private const string Format = "samcompress.checkpoint";
    private const string Version = "1";
    private const string BestPrefix = "best:";
    private const string IdentityKey = "identity";
    private const string PicturesKey = "pictures";
    private const string ValidationsKey = "validations";
    private const string TensorsKey = "tensors";

    /// <summary>Of what is trained and how: see <see cref="TrainingIdentity"/>.</summary>
    public required string Identity { get; init; }

    /// <summary>How many pictures were seen. The position in the epoch, the number of the update and the learning rate follow from it.</summary>
    public required long Pictures { get; init; }

    public required IReadOnlyList<Validation> Validations { get; init; }

    /// <summary>See <see cref="TrainingSession.ReadState"/>.</summary>
    public required IReadOnlyDictionary<string, Tensor> State { get; init; }

    /// <summary>The weights at the best validation, by name; none before the first one.</summary>
    public required IReadOnlyDictionary<string, Tensor> Best { get; init; }

    /// <summary>Replaces the file as a whole: a run that is killed leaves the old one or the new one.</summary>
    /// <exception cref="SamCompressException">Output: it cannot be written. What was there before is untouched.</exception>
    public void Write(string path)
    {
        path = Path.GetFullPath(path);
        string stage = path + ".partial";
        using Model model = ToModel();
        try
        {
            // What a killed run left, or a link that must not be written through.
            File.Delete(stage);
            OnnxWriter.Save(model, stage, new SaveOptions { ExternalData = ExternalDataMode.Never });
            DiskFlush.File(stage);
            File.Move(stage, path, overwrite: true);
            DiskFlush.Directory(Path.GetDirectoryName(path)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SamCompressException(FailureKind.Output, $"cannot write the checkpoint: {e.Message}", "free space, or choose another place.", e) { Location = path };
        }
    }

    /// <summary>Reads a checkpoint into memory: the file is not held open.</summary>
    /// <param name="identity">What it must be of.</param>
    /// <exception cref="SamCompressException">Input: no whole checkpoint, or of another run.</exception>
    public static TrainingCheckpoint Read(string path, string identity)
    {
        TrainingCheckpoint checkpoint;
        try
        {
            using Model model = OnnxReader.Read(path);
            checkpoint = OfModel(model);
        }
        catch (Exception e) when (e is SamCompressException or FormatException or OverflowException or JsonException or KeyNotFoundException)
        {
            throw new SamCompressException(
                FailureKind.InputRejected, $"no whole checkpoint: {e.Message.ReplaceLineEndings(" ")}", "name another file, or remove this one to begin anew.", e)
            { Location = path };
        }

        return checkpoint.Identity == identity
            ? checkpoint
            : throw new SamCompressException(
                FailureKind.InputRejected, "the checkpoint is of another model, other pictures or other options", "name another file, or remove this one to begin anew.")
            { Location = path };
    }

    private Model ToModel()
    {
        var model = new Model(10, [new OpsetImport(OperatorDomain.Onnx, 17)], "checkpoint");
        foreach ((string name, Tensor tensor) in State.OrderBy(s => s.Key, StringComparer.Ordinal))
            model.Graph.AddInitializer(name, tensor);
        foreach ((string name, Tensor tensor) in Best.OrderBy(s => s.Key, StringComparer.Ordinal))
            model.Graph.AddInitializer(BestPrefix + name, tensor);
        model.SetMetadata(Format, Version);
        model.SetMetadata(IdentityKey, Identity);
        model.SetMetadata(PicturesKey, Pictures.ToString(CultureInfo.InvariantCulture));
        model.SetMetadata(ValidationsKey, JsonSerializer.Serialize(Validations));
        model.SetMetadata(TensorsKey, (State.Count + Best.Count).ToString(CultureInfo.InvariantCulture));
        return model;
    }

    private static TrainingCheckpoint OfModel(Model model)
    {
        var metadata = model.Metadata.ToDictionary(StringComparer.Ordinal);
        if (metadata.GetValueOrDefault(Format) != Version)
            throw new FormatException("the file is no checkpoint, or of another version");
        if (model.Graph.Initializers.Count != long.Parse(metadata[TensorsKey], CultureInfo.InvariantCulture))
            throw new FormatException("tensors are missing");
        ILookup<bool, Value> tensors = model.Graph.Initializers.ToLookup(v => v.Name.StartsWith(BestPrefix, StringComparison.Ordinal));
        return new TrainingCheckpoint
        {
            Identity = metadata[IdentityKey],
            Pictures = long.Parse(metadata[PicturesKey], NumberStyles.None, CultureInfo.InvariantCulture),
            Validations = JsonSerializer.Deserialize<Validation[]>(metadata[ValidationsKey]) ?? throw new FormatException("the validations are missing"),
            State = tensors[false].ToDictionary(v => v.Name, v => InMemory(v.Initializer!), StringComparer.Ordinal),
            Best = tensors[true].ToDictionary(v => v.Name[BestPrefix.Length..], v => InMemory(v.Initializer!), StringComparer.Ordinal),
        };
    }

    private static Tensor InMemory(Tensor tensor) => Tensor.FromBytes(tensor.ElementType, tensor.Dimensions.AsSpan(), tensor.ToArray<byte>());
}
