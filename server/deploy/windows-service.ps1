# Tilt as a Windows service through WinSW (https://github.com/winsw/winsw), in an elevated PowerShell:
#   .\windows-service.ps1 -Folder C:\Tilt -WinSW C:\Downloads\WinSW-x64.exe
# C:\Tilt has the virtual environment .venv with Tilt in it, and tilt.toml with the settings.
param(
    [Parameter(Mandatory)] [string] $Folder,
    [Parameter(Mandatory)] [string] $WinSW
)
$ErrorActionPreference = "Stop"
New-Item -ItemType Directory -Force "$Folder\data" | Out-Null
Copy-Item $WinSW "$Folder\tilt-service.exe"
@"
<service>
  <id>tilt</id>
  <name>Tilt</name>
  <description>Factor exposures, risk and optimal weights in Excel</description>
  <executable>$Folder\.venv\Scripts\tilt.exe</executable>
  <arguments>serve</arguments>
  <workingdirectory>$Folder</workingdirectory>
  <env name="TILT_DATA_URL" value="$Folder\data"/>
  <serviceaccount><username>NT SERVICE\tilt</username></serviceaccount>
  <stoptimeout>90 sec</stoptimeout>
  <onfailure action="restart" delay="5 sec"/>
  <log mode="roll-by-size"><sizeThreshold>10240</sizeThreshold><keepFiles>8</keepFiles></log>
</service>
"@ | Set-Content -Encoding utf8 "$Folder\tilt-service.xml"
& "$Folder\tilt-service.exe" install
# the service's own account, and nobody else's, may read and write the data
icacls "$Folder\data" /inheritance:r /grant "NT SERVICE\tilt:(OI)(CI)F" "Administrators:(OI)(CI)F"
& "$Folder\tilt-service.exe" start
