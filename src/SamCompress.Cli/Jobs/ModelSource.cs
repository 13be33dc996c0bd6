using SamCompress.IR;

namespace SamCompress.Cli.Jobs;

/// <summary>Opens the model of a job.</summary>
internal static class ModelSource
{
    /// <summary>Reads a model and refuses one that is broken.</summary>
    /// <exception cref="SamCompressException">The file is no model, or breaks a rule of the format.</exception>
    public static Model Read(string path) => OnnxReader.Read(path);

    /// <summary>The size of the model file with its external data.</summary>
    public static long FileBytes(Model model, string path) =>
        model.Files.Append(path).Select(Path.GetFullPath).Distinct(StringComparer.Ordinal).Sum(f => new FileInfo(f).Length);
}
