using SamCompress.Cli;
using SamCompress.IR;
using SamCompress.Testing;

namespace SamCompress.Fuzz.Targets;

/// <summary>Models and the data beside them: backend models of ONNX where they are installed, graphs of exporters without weights, and small ones of our own.</summary>
internal static class ModelTargets
{
    private const int BiggestSeed = 1 << 20;

    private static readonly string[] Texts =
    [
        "agraph (float[1,3,8,8] x) => (float[1,2,8,8] y) <float[2,3,1,1] w = {1,2,3,4,5,6}> { c = Conv(x, w) y = Relu(c) }",
        "agraph (float[2,4] x) => (float[2,2] y) <float[4,2] w = {1,2,3,4,5,6,7,8}, int64[2] s = {2,2}> { m = MatMul(x, w) r = Reshape(m, s) e = Erf(r) y = Softmax<axis=-1>(e) }",
        "agraph (bool c, float[N] x) => (float[N] y) { y = If(c) <then_branch = t () => (float[N] a) { a = Relu(x) }, else_branch = e () => (float[N] b) { b = Neg(x) }> }",
    ];

    private static readonly Lazy<IReadOnlyList<byte[]>> Seeds = new(ReadSeeds);

    private static readonly string[][] Commands = [["check"], ["inspect"], ["inspect", "--nodes"], ["optimize", "-o", "out.onnx"], ["prune", "--ratio", "0.5", "-o", "out.onnx", "--dry-run"], ["rewrite", "--linear-attention", "-o", "out.onnx", "--dry-run"]];

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("model", (random, directory, context) =>
        {
            byte[] seed = Seeds.Value[random.Next(Seeds.Value.Count)];
            File.WriteAllBytes(Path.Combine(directory, "m.onnx"), Mutator.Damage(seed, random));
            return CommandLine.Run(Command(random, directory), context);
        }, 0, 1, 3, 4),
        new("external", (random, directory, context) =>
        {
            string path = Path.Combine(directory, "m.onnx");
            using (Model model = ModelText.Parse(Texts[random.Next(2)]))
                OnnxWriter.Save(model, path, new SaveOptions { ExternalData = ExternalDataMode.Always });
            File.WriteAllBytes(path, Mutator.Damage(File.ReadAllBytes(path), random, isText: true));
            string data = path + ".data";
            if (File.Exists(data) && random.Next(2) == 0)
                File.WriteAllBytes(data, Mutator.Damage(File.ReadAllBytes(data), random));
            return CommandLine.Run(Command(random, directory), context);
        }, 0, 1, 3, 4),
    ];

    private static string[] Command(Random random, string directory)
    {
        string[] command = Commands[random.Next(Commands.Length)];
        return [command[0], Path.Combine(directory, "m.onnx"), .. command.Skip(1).Select(a => a == "out.onnx" ? Path.Combine(directory, a) : a)];
    }

    private static List<byte[]> ReadSeeds()
    {
        var seeds = new List<byte[]>();
        foreach (string text in Texts)
        {
            using Model model = ModelText.Parse(text);
            seeds.Add(OnnxWriter.Serialize(model));
        }

        IEnumerable<string> files = BackendModels.Paths.Concat(Directory.GetFiles(Path.Combine(SkeletonModels.RepositoryRoot, "tests", "models"), "*.onnx").Order(StringComparer.Ordinal));
        seeds.AddRange(files.Where(f => new FileInfo(f).Length <= BiggestSeed).Select(File.ReadAllBytes));
        return seeds;
    }
}
