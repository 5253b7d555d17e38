@echo off
rem Runs Quern's command line on Windows, with the JVM options of the POSIX launcher.
rem   QUERN_PROVIDER_PATH   JARs or folders of more providers, as a module path (separated by semicolons)
rem   QUERN_JAVA_OPTS       more JVM options, split at spaces; properties of the JVM go here too
rem Blocks in parentheses are avoided: a value with one, such as C:\Program Files (x86), would end them.
setlocal EnableExtensions DisableDelayedExpansion
for %%f in ("%~dp0..") do set "home=%%~ff"

if not "%home%"=="%home:;=%" goto semicolon
if defined QUERN_PROVIDERS goto old_name

set "java="
if defined JAVA_HOME call :try_jdk "%JAVA_HOME:"=%"
if not defined java for /f "delims=" %%j in ('where java.exe 2^>nul') do if not defined java call :try_jdk "%%~dpj.."
if not defined java for %%v in (Java "Eclipse Adoptium" Microsoft "Amazon Corretto" Zulu BellSoft) do if not defined java for /d %%d in ("%ProgramFiles%\%%~v\*") do call :try_jdk "%%~fd"
if not defined java goto no_jdk

rem The JVM passes over what does not exist.
set "modules=%home%\lib"
set "rest="
if defined QUERN_PROVIDER_PATH set "rest=%QUERN_PROVIDER_PATH:"=%"
:providers
if not defined rest goto options
set "entry="
for /f "tokens=1* delims=;" %%a in ("%rest%") do call :take "%%a" "%%b"
if not defined entry goto options
if not exist "%entry%" goto no_provider
set "modules=%modules%;%entry%"
goto providers

:options
rem A flag that the user sets is left out of ours, and of two collectors the JVM takes none.
set "theirs= %JAVA_TOOL_OPTIONS% %JDK_JAVA_OPTIONS% %_JAVA_OPTIONS% %QUERN_JAVA_OPTS% "
set "theirs=%theirs:"=%"
set "collector="
for %%g in (Serial Parallel G1 Z Shenandoah Epsilon) do call :find_collector %%g
set "jvm="
for /f "usebackq eol=# delims=" %%o in ("%home%\libexec\jvm.options") do call :option "%%o"
for %%f in ("%home%\options\*.options") do for /f "usebackq eol=# delims=" %%o in ("%%~f") do call :option "%%o"
if %NUMBER_OF_PROCESSORS% LSS 4 call :option "-XX:CICompilerCount=3"

rem JUnit and jqwik, the HTTP server, and the charts' JFreeChart, come with the commands that need them.
set "extra="
if "%~1"=="conformance" goto suite
if "%~1"=="serve" goto serve
if "%~1"=="selfcheck" goto suite
if not "%~1"=="bench" goto start
set "QUERN_LAUNCHER=%~f0"
set "modules=%modules%;%home%\charts"
set "extra=--add-modules java.desktop,org.jfree.jfreechart,VectorGraphics2D -Djava.awt.headless=true"
goto start
:serve
set "modules=%modules%;%home%\serve"
set "extra=--add-modules dev.quern.serve"
goto start
:suite
set "modules=%modules%;%home%\conformance"
set "extra=--add-modules dev.quern.conformance --enable-native-access=dev.quern.conformance"
:start
"%java%"%jvm% %QUERN_JAVA_OPTS% -p "%modules%" %extra% -m dev.quern.cli/dev.quern.cli.Main %*
exit /b %ERRORLEVEL%

rem Sets java if the folder has a Java of version 25 or newer, by its release file.
:try_jdk
if not exist "%~1\bin\java.exe" exit /b 0
if not exist "%~1\release" exit /b 0
for /f "usebackq tokens=1,2 delims==" %%k in ("%~1\release") do if "%%k"=="JAVA_VERSION" for /f "delims=.-+" %%m in ("%%~l") do if %%m GEQ 25 set "java=%~1\bin\java.exe"
exit /b 0

:take
set "entry=%~1"
set "rest=%~2"
exit /b 0

:find_collector
call set "without=%%theirs:Use%1GC=%%"
if not "%without%"=="%theirs%" set "collector=theirs"
exit /b 0

:option
set "option=%~1"
if "%option:~0,8%"=="-XX:+Use" if defined collector exit /b 0
if not "%option:~0,4%"=="-XX:" goto add
if "%option:~4,14%"=="CompileCommand" goto add
for /f "delims==" %%n in ("%option:~4%") do call set "without=%%theirs:%%n=%%"
if not "%without%"=="%theirs%" exit /b 0
:add
set "jvm=%jvm% %option%"
exit /b 0

:semicolon
>&2 echo quern: "%home%": a folder with a semicolon in its path can't be a Java module path; rename it
exit /b 1
:old_name
>&2 echo quern: QUERN_PROVIDERS is called QUERN_PROVIDER_PATH now: set "QUERN_PROVIDER_PATH=%QUERN_PROVIDERS%" instead
exit /b 1
:no_jdk
>&2 echo quern: no JDK 25 or newer found. Install one, or set JAVA_HOME to it.
exit /b 1
:no_provider
>&2 echo quern: QUERN_PROVIDER_PATH: "%entry%": no such file or folder (entries are separated by semicolons)
exit /b 1
