using System.Security.Cryptography;
using System.Text.Json;

namespace SamCompress.Cli.Tests.Repository;

public sealed class ManifestTests
{
    [Theory]
    [InlineData("models/sam-nano")]
    [InlineData("models/sam-nano-hard")]
    public void Sample_model_is_what_its_manifest_says(string folder)
    {
        using JsonDocument manifest = JsonDocument.Parse(RepositoryFiles.Read(folder + "/manifest.json"));
        JsonElement[] files = [.. manifest.RootElement.GetProperty("files").EnumerateArray()];

        Assert.All(files, file => AssertIsOnDisk(folder, file));
        Assert.Equal(RepositoryFiles.Below(folder, "??coder.onnx"), files.Select(file => $"{folder}/{Name(file)}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Calibration_set_is_what_its_manifest_says()
    {
        using JsonDocument manifest = JsonDocument.Parse(RepositoryFiles.Read("calibration/manifest.json"));
        JsonElement[] pictures = [.. manifest.RootElement.GetProperty("pictures").EnumerateArray()];

        Assert.Equal(40, pictures.Length);
        Assert.All(pictures, picture => AssertIsOnDisk("calibration", picture));
        Assert.All(pictures, picture => AssertIsOnDisk("calibration", picture.GetProperty("objects")));
        Assert.Equal(RepositoryFiles.Below("calibration", "*.jpg"), pictures.Select(picture => $"calibration/{Name(picture)}"));
    }

    private static void AssertIsOnDisk(string folder, JsonElement file)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(RepositoryFiles.Root, folder, Name(file)));
        Assert.Equal(file.GetProperty("bytes").GetInt64(), bytes.LongLength);
        Assert.Equal(file.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    private static string Name(JsonElement file) => file.GetProperty("file").GetString()!;
}
