using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using SaferGuard.Api.Access;
using SaferGuard.Api.Operations;
using SaferGuard.Reasoning;
using SaferGuard.Reasoning.Decoding;
using SaferGuard.Reasoning.Policies;

namespace SaferGuard.Api.Policies;

/// <summary>
/// The policies of the service: which is live under each id, and every older version by its digest. A version never changes; a reader keeps the one
/// that it was given, whatever is written meanwhile.
/// </summary>
internal sealed partial class PolicyBook
{
    /// <summary>Older versions that are kept ready for judgments; the others are read again when they are asked for.</summary>
    private const int MaxReady = 256;

    /// <summary>What is wrong with a file that is no more.</summary>
    private const string Gone = "is gone";

    private readonly Guard _guard;
    private readonly PolicyOptions _options;
    private readonly PolicyFolder _folder;
    private readonly ILogger<PolicyBook> _logger;
    private readonly Lock _writing = new();
    private readonly Dictionary<string, PolicyFileState> _files = [];

    /// <summary>Digests of files that the last look found changed.</summary>
    private readonly Dictionary<string, string?> _changing = [];
    private readonly ConcurrentDictionary<string, CompiledPolicy> _ready = [];
    private readonly CompiledPolicy _default;
    private volatile PolicySet _live;

    /// <exception cref="OptionsValidationException">The default or the shadow policy is not there.</exception>
    public PolicyBook(Guard guard, PolicyOptions options, PolicyFolder folder, ILogger<PolicyBook> logger)
    {
        (_guard, _options, _folder, _logger) = (guard, options, folder, logger);
        _live = PolicySet.Of(guard.Compiled, []);
        Look(waitForWriters: false);
        string[] missing = [.. new[] { ("Default", options.Default), ("Shadow", options.Shadow) }
            .Where(named => named.Item2 is not null && Find(named.Item2) is null)
            .Select(named => $"Policies:{named.Item1}: there is no policy '{named.Item2}'; there are {string.Join(", ", _live.ById.Keys.Order())}.")];
        if (missing.Length > 0) throw new OptionsValidationException("Policies", typeof(PolicyOptions), missing);
        _default = options.Default is { } name ? Find(name)! : guard.Compiled;
    }

    public PolicySet Live => _live;

    /// <summary>The policy that applies where neither a request nor its caller names one.</summary>
    public CompiledPolicy Default => _live.ById.GetValueOrDefault(_options.Default ?? _guard.Policy.Id) ?? _default;

    /// <summary>The policy that judges beside the live one, if there is one.</summary>
    public CompiledPolicy? Shadow => _options.Shadow is { } name ? Find(name) : null;

    /// <summary>The policy of a request: the one that it names, or else its caller's, or else the default.</summary>
    /// <param name="named">An id or a digest.</param>
    /// <exception cref="ProblemException">There is no such policy.</exception>
    public CompiledPolicy For(string? named, Caller caller)
    {
        if (named is not null)
        {
            return Find(named) ?? throw new ProblemException(
                Errors.InvalidRequest, "Name another policy, or none. Nothing was judged.",
                new FieldError("policy", "must be the id or the digest of a policy that there is; see /v1/policies"));
        }

        if (caller.Policy is null) return Default;
        return Find(caller.Policy) ?? throw new ProblemException(
            Errors.PolicyUnavailable,
            $"The policy '{caller.Policy}' of this caller is not there. Nothing was judged. Put it there, or give the caller another.");
    }

    /// <summary>The live version under an id, or any version by its digest; null where there is none.</summary>
    public CompiledPolicy? Find(string idOrDigest)
    {
        if (_live.ById.TryGetValue(idOrDigest, out var live)) return live;
        if (idOrDigest == _guard.Policy.Digest) return _guard.Compiled;
        if (_ready.TryGetValue(idOrDigest, out var ready)) return ready;
        return _folder.Find(idOrDigest) is { } file && Compile(file, out var policy).Count == 0 ? Remember(policy!) : null;
    }

    /// <summary>Reads a policy and prepares it for judgments, or says everything that is wrong with it.</summary>
    public IReadOnlyList<PolicyError> Compile(ReadOnlyMemory<byte> file, out CompiledPolicy? compiled)
    {
        compiled = null;
        return PolicyReader.TryRead(file, out var policy) is { Count: > 0 } errors ? errors : _guard.TryCompile(policy!, out compiled);
    }

    /// <summary>Makes a version live, once it is on disk.</summary>
    /// <param name="require">Is given the digest that is live now, or null; throws when it must not be replaced.</param>
    /// <returns>The version that was live before.</returns>
    public CompiledPolicy? Put(CompiledPolicy policy, Action<string?> require)
    {
        var (id, digest) = (policy.Policy.Id, policy.Policy.Digest);
        lock (_writing)
        {
            var before = _live.ById.GetValueOrDefault(id);
            require(before?.Policy.Digest);
            if (before?.Policy.Digest == digest) return before;
            if (_live.ById.Keys.FirstOrDefault(other => other != id && other.Equals(id, StringComparison.OrdinalIgnoreCase)) is { } twin)
                throw new ProblemException(Errors.InvalidRequest, "Choose another id.", new FieldError("id", $"differs from '{twin}' in case only"));

            var name = _files.FirstOrDefault(file => file.Value.Live?.Policy.Id == id).Key;
            if (name is null && _files.TryGetValue($"{id}.yaml", out var other) && other.Live is not null) name = $"{id}.{digest[^8..]}.yaml";
            _folder.Keep(policy.Policy);
            name = _folder.Write(id, policy.Policy.File, name);
            _files[name] = new(digest, Remember(policy), []);
            Publish();
            return before;
        }
    }

    /// <summary>
    /// Looks at the folder again. What has changed counts once two looks have found the same, so that a file that is being written does not go live in
    /// part: a policy that breaks off between two rules is valid. A file that is not valid leaves its last valid version live.
    /// </summary>
    public void Reload() => Look(waitForWriters: true);

    private void Look(bool waitForWriters)
    {
        lock (_writing)
        {
            var files = _folder.Read();
            var changed = false;
            foreach (var (name, content) in files)
            {
                var digest = content is null ? null : PolicyReader.DigestOf(content);
                if (_files.TryGetValue(name, out var before) && before.Digest == digest && before.Errors is not [{ Fault: Gone }]) continue;
                if (waitForWriters && !(_changing.TryGetValue(name, out var seen) && seen == digest))
                {
                    _changing[name] = digest;
                    continue;
                }

                _changing.Remove(name);
                _files[name] = Load(name, content, digest, before?.Live);
                changed = true;
            }

            var present = files.Select(file => file.Name).ToHashSet();
            foreach (var name in _changing.Keys.Except(present).ToArray()) _changing.Remove(name);
            foreach (var name in _files.Keys.Except(present).ToArray()) changed |= Lose(name);
            if (changed) Publish();
        }
    }

    private PolicyFileState Load(string name, byte[]? content, string? digest, CompiledPolicy? before)
    {
        CompiledPolicy? policy = null;
        var errors = content is null ? [new PolicyError("file", "cannot be read", "let the service read it")] : Compile(content, out policy);
        if (policy?.Policy.Id is { } id && before?.Policy.Id is { } needed && id != needed && IsNeeded(needed))
            (policy, errors) = (null, [new("id", $"is '{id}'", $"write '{needed}', which the configuration names")]);
        if (policy is null)
        {
            // After a restart the last valid version is the newest kept one of the policy that the file is named for.
            before ??= _folder.VersionsOf(Path.GetFileNameWithoutExtension(name)) is [var newest, ..] ? Find(newest.Digest) : null;
            LogInvalid(_logger, name, string.Join(' ', errors), before?.Policy.Digest ?? "none");
            return new(digest, before, errors);
        }

        Keep(policy);
        return new(digest, Remember(policy), []);
    }

    /// <summary>A policy goes with its file, unless the service cannot do without it.</summary>
    private bool Lose(string name)
    {
        var file = _files[name];
        var id = file.Live?.Policy.Id;
        if (id is null || !IsNeeded(id)) return _files.Remove(name);
        if (file.Errors is [{ Fault: Gone }]) return false;
        _files[name] = file with { Errors = [new("file", Gone, $"put it back: '{id}' stays live because the configuration names it")] };
        LogInvalid(_logger, name, "It is gone.", file.Live!.Policy.Digest);
        return true;
    }

    private bool IsNeeded(string id) => id == _options.Default || id == _options.Shadow;

    private void Keep(CompiledPolicy policy)
    {
        try
        {
            _folder.Keep(policy.Policy);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            LogNotKept(_logger, policy.Policy.Id, policy.Policy.Digest, fault.GetType().Name);
        }
    }

    private CompiledPolicy Remember(CompiledPolicy policy)
    {
        if (_ready.Count >= MaxReady) _ready.Clear();
        return _ready.GetOrAdd(policy.Policy.Digest, policy);
    }

    private void Publish()
    {
        var (before, now) = (_live, PolicySet.Of(_guard.Compiled, _files));
        foreach (var (id, policy) in now.ById)
        {
            if (before.ById.GetValueOrDefault(id)?.Policy.Digest != policy.Policy.Digest)
                LogLive(_logger, id, policy.Policy.Version, policy.Policy.Digest);
        }

        foreach (var id in before.ById.Keys.Except(now.ById.Keys)) LogRemoved(_logger, id);
        _live = now;
    }

    [LoggerMessage(20, LogLevel.Information, "Policy {Id} {Version} {Digest} is live")]
    private static partial void LogLive(ILogger logger, string id, string version, string digest);

    [LoggerMessage(21, LogLevel.Information, "Policy {Id} is gone")]
    private static partial void LogRemoved(ILogger logger, string id);

    [LoggerMessage(22, LogLevel.Error, "The policy file {File} is not valid: {Errors} Live in its place: {Live}")]
    private static partial void LogInvalid(ILogger logger, string file, string errors, string live);

    [LoggerMessage(
        23, LogLevel.Warning, "The version {Digest} of policy {Id} could not be kept on disk ({Fault}); it cannot be named by its digest after a restart")]
    private static partial void LogNotKept(ILogger logger, string id, string digest, string fault);
}
