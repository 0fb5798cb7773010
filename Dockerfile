# The serving image: the Api and the bundled model, without libtorch. Run: docker build -t saferguard . && docker run -p 8080:8080 -p 8081:8081 saferguard
FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
WORKDIR /src
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig ./
COPY src/Reasoning/Reasoning.csproj src/Reasoning/
COPY src/Api/Api.csproj src/Api/
COPY proto proto
RUN dotnet restore src/Api
COPY src/Reasoning src/Reasoning
COPY src/Api src/Api
RUN dotnet publish src/Api -c Release --no-restore -o /app && mkdir /data

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled
WORKDIR /app
COPY --from=build /app .
COPY models/safer-nano models/safer-nano
COPY --from=build --chown=$APP_UID:$APP_UID /data /data
# Reachable from outside, so nobody gets in without a key: docker exec CONTAINER dotnet SaferGuard.Api.dll keys create --scope assess complete
ENV ASPNETCORE_URLS=http://0.0.0.0:8080 Grpc__Url=http://0.0.0.0:8081 Store__Path=/data/saferguard.db Access__WithoutKeys=Never
VOLUME /data
EXPOSE 8080 8081
USER $APP_UID
ENTRYPOINT ["dotnet", "SaferGuard.Api.dll"]
