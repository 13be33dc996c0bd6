using SamCompress.Cli.Tests;

namespace SamCompress.Reliability.Tests;

/// <summary>One bad input, as a user would meet it: files and a command line, and what must come of it.</summary>
/// <param name="Row">The row of <see cref="Rows"/> that it belongs to.</param>
/// <param name="Name">Unique within the row.</param>
internal sealed record Attack(string Row, string Name)
{
    private const int Rejected = 3;

    /// <summary>Makes the files and says what to run.</summary>
    public required Func<TemporaryDirectory, string[]> Make { get; init; }

    public IReadOnlyList<int> ExitCodes { get; init; } = [Rejected];

    /// <summary>The file that an error must name; empty where it is among <see cref="Says"/>.</summary>
    public string File { get; init; } = "";

    /// <summary>What the error line and its hint must hold; where the input is accepted, what the answer must.</summary>
    public IReadOnlyList<string> Says { get; init; } = [];

    /// <summary>What must hold afterwards, beside what holds for every attack.</summary>
    public Action<TemporaryDirectory>? Afterwards { get; init; }

    /// <summary>Bytes that may be allocated in the heap.</summary>
    public long MostAllocated { get; init; } = 200_000_000;

    public override string ToString() => $"{Row}: {Name}";

    public static IReadOnlyList<Attack> All { get; } =
    [
        .. Attacks.ContainerAttacks.All, .. Attacks.VersionAttacks.All, .. Attacks.ExternalDataAttacks.All, .. Attacks.TensorAttacks.All,
        .. Attacks.GraphAttacks.All, .. Attacks.PictureAttacks.All, .. Attacks.OptionAttacks.All, .. Attacks.OutputAttacks.All,
    ];

    public static Attack Of(string row, string name, Func<TemporaryDirectory, string[]> make, params string[] says) => new(row, name) { Make = make, Says = says };

    /// <summary>A file that is given to <c>optimize</c> as a model, over an output that exists.</summary>
    public static Attack OfModel(string row, string name, Func<byte[]> model, params string[] says) =>
        Of(row, name, directory => Optimize(directory, model()), says) with { File = "model.onnx" };

    /// <inheritdoc cref="OfModel(string, string, Func{byte[]}, string[])"/>
    public static Attack OfModel(string row, string name, byte[] model, params string[] says) => OfModel(row, name, () => model, says);

    /// <summary>Writes a model and an old output, and gives the command that would replace it.</summary>
    public static string[] Optimize(TemporaryDirectory directory, byte[] model)
    {
        System.IO.File.WriteAllBytes(directory.File("model.onnx"), model);
        return Optimize(directory, directory.File("model.onnx"));
    }

    /// <inheritdoc cref="Optimize(TemporaryDirectory, byte[])"/>
    public static string[] Optimize(TemporaryDirectory directory, string model)
    {
        directory.Write("out.onnx", "old");
        return ["optimize", model, "-o", directory.File("out.onnx"), "--overwrite", "--quiet"];
    }
}
